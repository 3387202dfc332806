import {
  Column,
  Entity,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm'

/** Nothing but columns: homes are recorded when all rows are loaded. */
@Entity('reading')
export class Reading {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) code!: string
  @Column({ type: String }) name!: string
  @Column({ type: Number }) value!: number
}

/** Has a lazy relation: homes are recorded as TypeORM makes the entities. */
@Entity('customer')
export class Customer {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) code!: string
  @Column({ type: String }) name!: string
  @Column({ type: Number }) value!: number
  @OneToMany('Order', 'customer', { lazy: true }) orders!: Promise<Relation<Order>[]>
}

/** Is joined with another entity, which gets its home too. */
@Entity('order')
export class Order {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) code!: string
  @Column({ type: String }) name!: string
  @Column({ type: Number }) value!: number
  @ManyToOne('Reading') reading!: Relation<Reading>
  @ManyToOne('Customer') customer!: Relation<Customer>
}

export const entities = [Reading, Customer, Order]
