import { Column, Entity, ManyToOne, OneToMany, PrimaryGeneratedColumn, type Relation } from 'typeorm'

/** Nothing but columns: its home is recorded when all rows are loaded. */
@Entity()
export class Reading {
  @PrimaryGeneratedColumn() id!: number
  @Column() code!: string
  @Column() name!: string
  @Column() place!: string
  @Column() note!: string
  @Column() unit!: string
  @Column() value!: number
  @Column() turn!: number
}

/** Refers to another entity: the homes of both are recorded as TypeORM makes them. */
@Entity()
export class Order {
  @PrimaryGeneratedColumn() id!: number
  @Column() code!: string
  @Column() name!: string
  @Column() value!: number
  @ManyToOne('Customer') customer!: Relation<Customer>
}

@Entity()
export class Customer {
  @PrimaryGeneratedColumn() id!: number
  @Column() code!: string
  @Column() name!: string
  @OneToMany('Order', 'customer', { lazy: true }) orders!: Promise<Relation<Order>[]>
}

const valueOf = (column: string, row: number): unknown =>
  /(?:id|value|turn)$/i.test(column) ? 1 + row : `${column} of an entity`

/** As many rows as the query asks for at most, with every column that it names. */
const rowsFor = (sql: string): readonly object[] => {
  const limit = Number(/ LIMIT (\d+)$/.exec(sql)?.[1] ?? 1)
  const columns = [...sql.matchAll(/ AS `(\w+)`/g)].map(([, column = '']) => column)
  return Array.from({ length: limit }, (_, row) =>
    Object.fromEntries(columns.map((column) => [column, valueOf(column, row)])),
  )
}

const known = new Map<string, readonly object[]>()

/** What the driver answers: made once for each query, for it is the entities that are measured. */
export const rowsOf = (sql: string): readonly object[] => {
  const rows = known.get(sql) ?? rowsFor(sql)
  known.set(sql, rows)
  return rows
}
