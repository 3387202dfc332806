import {
  Column,
  Entity,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm'
import { Replicated, Unsharded } from '../../../lib/index.js'

/** Is on the replicas also where not everything is. */
@Replicated()
@Entity('repl_cat')
export class Cat {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @OneToMany(() => Kitten, (kitten) => kitten.cat) kittens?: Relation<Kitten>[]
}

@Entity('repl_kitten')
export class Kitten {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @ManyToOne(() => Cat, (cat) => cat.kittens) cat?: Relation<Cat>
}

@Entity('repl_dog')
export class Dog {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

/** Is on the default shard, whatever the scope. */
@Unsharded()
@Entity('repl_country')
export class Country {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

export const entities = [Cat, Kitten, Dog, Country]
