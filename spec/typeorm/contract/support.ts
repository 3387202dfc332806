import { expect } from 'chai'
import {
  BaseEntity,
  Column,
  DataSource,
  Entity,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm'

@Entity()
export class Author extends BaseEntity {
  @PrimaryGeneratedColumn() id!: number
}

@Entity()
export class Book extends BaseEntity {
  @PrimaryGeneratedColumn() id!: number
  @Column({ default: '' }) title!: string
  @ManyToOne(() => Author, { lazy: true }) author!: Promise<Relation<Author>>
}

/** An object whose undeclared members are looked at. */
export type Members = Record<string, unknown>

const entities = [Author, Book]

export const sqljs = (options: object = {}): DataSource =>
  new DataSource({ type: 'sqljs', entities, synchronize: true, ...options })
export const mysql = (): DataSource => new DataSource({ type: 'mysql', database: 'shop', entities })
export const postgres = (): DataSource =>
  new DataSource({ type: 'postgres', database: 'shop', entities })

/** Says what TypeORM changed, and which part of the library it breaks. */
export const gone = (what: string, file: string, purpose: string): string =>
  `TypeORM no longer has ${what}: lib/typeorm/${file} relies on it to ${purpose}`

export const expectMethods = (
  owner: object,
  of: string,
  methods: Readonly<Record<string, readonly [file: string, purpose: string]>>,
): void => {
  for (const [name, [file, purpose]] of Object.entries(methods))
    expect((owner as Members)[name], gone(`${of}.${name}()`, file, purpose)).to.be.a('function')
}
