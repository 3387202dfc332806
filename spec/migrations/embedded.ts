import { DataSource } from 'typeorm'
import type { SqljsDataSourceOptions } from 'typeorm/driver/sqljs/SqljsDataSourceOptions.js'
import type { ConnectionProxy, OctopusOptions } from '../../lib/index.js'
import { proxies } from '../typeorm/compat/support.js'
import { NoLog } from './stage.js'

/** A data source in memory with migrations, to be wrapped. */
export const withMigrations = (
  migrations: readonly Function[],
  options: Omit<Partial<SqljsDataSourceOptions>, 'type'> = {},
): DataSource =>
  new DataSource({
    type: 'sqljs',
    migrations: migrations as Function[],
    logger: new NoLog(),
    ...options,
  })

/** Shards in memory: master, brazil, canada and spain. */
export const fourShards: OctopusOptions = {
  shards: { brazil: {}, canada: {}, spain: {} },
  groups: { americas: ['brazil', 'canada'] },
}

/** The tables of each shard, in the order of their names. */
export const tablesOf = async (db: ConnectionProxy): Promise<Record<string, string[]>> => {
  const found = await db.usingAll(() =>
    db.query(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`,
    ),
  )
  return Object.fromEntries(
    found.map(({ shard, value }) => [shard, (value as { name: string }[]).map(({ name }) => name)]),
  )
}

/** Opens applications over the four shards for the specs of one `describe`, and ends each after its spec. */
export const applications = () => {
  const { wrap } = proxies()
  return async (
    migrations: readonly Function[],
    settings: OctopusOptions['migrations'],
    { source = {}, octopus = {} }: { source?: object; octopus?: Partial<OctopusOptions> } = {},
  ): Promise<ConnectionProxy> => {
    const options = { ...fourShards, ...(settings && { migrations: settings }), ...octopus }
    const db = wrap(withMigrations(migrations, source), options) as ConnectionProxy
    return (await db.initialize()) as ConnectionProxy
  }
}
