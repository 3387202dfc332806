import type { EngineFamily } from './words.js'

/** TypeORM's options of one server, as they are handed to it. */
export type Connection = Readonly<Record<string, unknown>>

/** What names a server: inherited, it would send one shard's statements to another's server. */
const serverKeys = ['host', 'port', 'url', 'socketPath', 'replication']

/** What names a file, or saves to one in some other way. */
const fileKeys = ['database', 'location', 'autoSaveCallback']

/** What is done once to a schema, by the shard that asks for it itself. */
const onceKeys = ['synchronize', 'migrationsRun', 'dropSchema']

/** What stays with the DataSource in front: one set for all shards. */
const frontKeys = ['entities', 'subscribers', 'migrations']

/** What means the same to every engine. `isolationLevel` does not: each has levels of its own. */
const neutralKeys = [
  'cache',
  'entityPrefix',
  'entitySkipConstructor',
  'invalidWhereValuesBehavior',
  'isolateWhereStatements',
  'logger',
  'logging',
  'maxQueryExecutionTime',
  'metadataTableName',
  'migrationsTableName',
  'migrationsTransactionMode',
  'namingStrategy',
  'poolSize',
  'relationLoadStrategy',
  'typename',
]

/**
 * What names a server inside `extra`, by the words of mysql2 and pg. TypeORM lets `extra` win over
 * its own options.
 */
export const serverKeysInExtra = ['host', 'port', 'socketPath', 'uri', 'connectionString', 'stream']

export const isFileEngine = (
  family: EngineFamily | undefined,
): family is 'sqljs' | 'better-sqlite3' => family === 'sqljs' || family === 'better-sqlite3'

const without = (connection: Connection, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(connection).filter(([key]) => !keys.includes(key)))

const extraWithoutServer = (extra: unknown): unknown =>
  typeof extra === 'object' && extra !== null
    ? without(extra as Connection, serverKeysInExtra)
    : extra

const sameFamily = (from: Connection, family: EngineFamily): Record<string, unknown> => {
  const kept = without(from, [
    'type',
    ...serverKeys,
    ...onceKeys,
    ...frontKeys,
    ...(isFileEngine(family) ? fileKeys : []),
  ])
  return 'extra' in kept ? { ...kept, extra: extraWithoutServer(kept['extra']) } : kept
}

const otherFamily = (from: Connection, family: EngineFamily): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(from).filter(
      ([key]) => neutralKeys.includes(key) && !(key === 'poolSize' && isFileEngine(family)),
    ),
  )

/** What a shard takes over from the default shard, or a replica from its primary. */
export const inherited = (
  from: { readonly connection: Connection; readonly family: EngineFamily | undefined },
  family: EngineFamily,
): Record<string, unknown> =>
  from.family === family
    ? sameFamily(from.connection, family)
    : otherFamily(from.connection, family)
