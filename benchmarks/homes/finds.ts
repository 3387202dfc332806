import type { DataSource } from 'typeorm'
import { Customer, Order, Reading, entities } from './entities.js'

/** How many rows each find loads. */
export const rows = 1000

/** What is measured, by name: one for each way in which TypeORM comes to make entities. */
export const finds = {
  'columns only': (source) => source.getRepository(Reading).find({ take: rows }),
  'with a lazy relation': (source) => source.getRepository(Customer).find({ take: rows }),
  'joined with as many': (source) =>
    source
      .getRepository(Order)
      .createQueryBuilder('order')
      .innerJoinAndSelect('order.reading', 'reading')
      .limit(rows)
      .getMany(),
} as const satisfies Record<string, (source: DataSource) => Promise<unknown>>
export type FindName = keyof typeof finds

/** Makes the rows to be found, in a database that has the tables. */
export const fill = async (source: DataSource): Promise<DataSource> => {
  const numbers = Array.from({ length: rows }, (_, index) => 1 + index)
  const valuesOf = (id: number) => ({ id, code: `code ${id}`, name: `name of ${id}`, value: id })
  for (const entity of entities)
    await source.manager.insert(
      entity,
      numbers.map((id) => (entity === Order ? { ...valuesOf(id), reading: { id } } : valuesOf(id))),
    )
  return source
}

const valueOf = (column: string, id: number): unknown =>
  /_(?:id|value)$/.test(column) ? id : `${column} of ${id}`

const found = new Map<string, readonly object[]>()

/** What a driver answers from memory: made once for each query, for the entities are measured. */
export const rowsInMemory = (sql: string): readonly object[] => {
  const known = found.get(sql)
  if (known !== undefined) return known
  const columns = [...sql.matchAll(/ AS `(\w+)`/g)].map(([, column = '']) => column)
  const made = Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(columns.map((column) => [column, valueOf(column, 1 + row)])),
  )
  found.set(sql, made)
  return made
}
