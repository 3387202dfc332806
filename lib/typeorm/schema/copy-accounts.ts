import { MigrationExecutor, type QueryRunner } from 'typeorm'
import type { Shard } from '../shard.js'
import { bookkeepingTables, withRunner } from './read.js'

/**
 * Copies the rows of the tables in which TypeORM keeps account of itself: of the migrations that were
 * run, and of the views and generated columns that it made.
 *
 * @param tables - that were copied
 * @returns the names of the migrations
 */
export const copyAccounts = async (
  from: Shard,
  to: Shard,
  runner: QueryRunner,
  tables: readonly string[],
): Promise<readonly string[]> => {
  const { migrations, metadata } = bookkeepingTables(from.view)
  if (tables.includes(metadata)) await copyMetadata(from, to, runner, metadata)
  if (!tables.includes(migrations)) return []
  const done = await withRunner(from, (reader) =>
    new MigrationExecutor(from.view, reader).getExecutedMigrations(),
  )
  const executor = new MigrationExecutor(to.view, runner)
  const inOrder = done.toSorted((one, other) => (one.id ?? 0) - (other.id ?? 0))
  for (const migration of inOrder) await executor.insertMigration(migration)
  return inOrder.map(({ name }) => name)
}

/** The names under which a shard's own database and schema stand in TypeORM's account. */
const placeOf = ({ view }: Shard): readonly (string | undefined)[] => [
  view.driver.database,
  view.driver.schema,
]

const pathOf = ({ view: { driver } }: Shard, table: string): string =>
  driver.buildTableName(table, (driver.options as { schema?: string }).schema, driver.database)

const copyMetadata = async (
  from: Shard,
  to: Shard,
  runner: QueryRunner,
  table: string,
): Promise<void> => {
  const rows = await withRunner(from, (reader) =>
    from.view
      .createQueryBuilder(reader)
      .select('*')
      .from(pathOf(from, table), 'm')
      .getRawMany<Record<string, unknown>>(),
  )
  const [theirs, ours] = [placeOf(from), placeOf(to)]
  const translated = rows.map((row) => {
    const entries = Object.entries(row).map(([column, value]) => {
      const isPlace = column === 'database' || column === 'schema'
      const at = isPlace && typeof value === 'string' ? theirs.indexOf(value) : -1
      return [column, at === -1 ? value : ours[at]] as const
    })
    return Object.fromEntries(entries)
  })
  if (translated.length === 0) return
  const insert = to.view.createQueryBuilder(runner).insert().into(pathOf(to, table))
  await insert.values(translated).execute()
}
