import { randomUUID } from 'node:crypto'
import type { DataSource, ObjectLiteral } from 'typeorm'
import { Entry } from './entry.js'
import type { Engine } from './world.js'

/** Says in a statement which shard it is for, so that a server's log shows strays. */
export const tag = (shard: string): string => `shard=${shard}`

/** The shard that a statement is for, if it is one of the callers'. */
export const shardOfStatement = (sql: string): string | undefined => /shard=(\w+)/.exec(sql)?.[1]

export const isWrite = (sql: string): boolean =>
  /^\s*(?:\/\*.*?\*\/\s*)?(?:INSERT|UPDATE|DELETE)\b/is.test(sql)

const entryOf = (shard: string): ObjectLiteral => ({ id: randomUUID(), shard, text: 'written' })

/** Reads the row of a shard, and looks whether it is that shard's. */
export const read = async (source: DataSource, shard: string): Promise<void> => {
  const found = await source
    .getRepository(Entry)
    .findOne({ where: { id: shard }, comment: tag(shard) })
  if (found?.shard !== shard) throw new Error(`wrong row: ${found?.shard ?? 'none'}`)
}

/** Reads it slowly, so that a fault can come meanwhile. */
export const readSlowly = async (
  source: DataSource,
  shard: string,
  engine: Engine,
  seconds: number,
): Promise<void> => {
  const sleep = engine === 'mariadb' ? `SLEEP(${seconds}) = 0` : `pg_sleep(${seconds})::text = ''`
  const found = await source
    .getRepository(Entry)
    .createQueryBuilder('entry')
    .comment(tag(shard))
    .where('entry.id = :shard', { shard })
    .andWhere(sleep)
    .getOne()
  if (found?.shard !== shard) throw new Error(`wrong row: ${found?.shard ?? 'none'}`)
}

export const write = async (source: DataSource, shard: string): Promise<void> => {
  await source
    .createQueryBuilder()
    .insert()
    .into(Entry)
    .comment(tag(shard))
    .values(entryOf(shard))
    .execute()
}

/** Writes one row, slowly. */
export const writeSlowly = async (
  source: DataSource,
  shard: string,
  engine: Engine,
  seconds: number,
): Promise<void> => {
  const [id, sleep] =
    engine === 'mariadb'
      ? ['UUID()', `SLEEP(${seconds})`]
      : ['gen_random_uuid()::text', `pg_sleep(${seconds})::text`]
  await source.query(
    `/* ${tag(shard)} */ INSERT INTO entry (id, shard, text) SELECT ${id}, '${shard}', ${sleep}`,
  )
}

/** Writes two rows in one transaction; `between` is done after the first. */
export const transact = (
  source: DataSource,
  shard: string,
  text = 'written',
  between?: () => Promise<unknown>,
): Promise<void> =>
  source.transaction(async (manager) => {
    for (const work of [between, undefined]) {
      await manager
        .createQueryBuilder()
        .insert()
        .into(Entry)
        .comment(tag(shard))
        .values({ ...entryOf(shard), text })
        .execute()
      await work?.()
    }
  })
