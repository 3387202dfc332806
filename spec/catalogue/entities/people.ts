import {
  Column,
  Entity,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm'

@Entity('people_user')
export class User {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @Column({ default: 0 }) number!: number
}

/** Its columns are named like members of a wrapped data source, and of a promise. */
@Entity('people_memo')
export class Memo {
  @PrimaryGeneratedColumn() id!: number
  @Column() using!: string
  @Column() shard!: string
  // oxlint-disable-next-line unicorn/no-thenable -- that a name like this does no harm is what it shows
  @Column() then!: string
}

@Entity('people_client')
export class Client {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @OneToMany(() => Item, (item) => item.client, { cascade: true }) items?: Relation<Item>[]
}

@Entity('people_item')
export class Item {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @ManyToOne(() => Client, (client) => client.items) client?: Relation<Client>
  @OneToMany(() => Part, (part) => part.item, { cascade: true }) parts?: Relation<Part>[]
}

@Entity('people_part')
export class Part {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @ManyToOne(() => Item, (item) => item.parts) item?: Relation<Item>
}

export const entities = [User, Memo, Client, Item, Part]

/** A new entity with these values. */
export const made = <E extends object>(entity: new () => E, fields: Partial<E>): E =>
  Object.assign(new entity(), fields)
