import { z } from 'zod'
import type { EngineFamily } from './words.js'

/**
 * TypeORM's connection options that a shard may give, per engine. This room does not import
 * TypeORM; `spec/config/typeorm-contract.spec.ts` fails to compile when the lists differ from its
 * types.
 */

const text = z.string().min(1)
/** May be empty: an empty password is a password. */
const credential = z.string()
const flag = z.boolean()
const milliseconds = z.int().nonnegative()
const texts = z.array(z.string())

type Password = string | (() => string) | (() => Promise<string>)

/** Marks what cannot be written in a file; the JSON Schema leaves it out. */
const inCodeOnly = { codeOnly: true }

const callback = z
  .custom<Function>(
    (value) => typeof value === 'function',
    'expected a function, which can be given in code only',
  )
  .meta(inCodeOnly)

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null && !Array.isArray(value)) ||
  typeof value === 'function'

const codeObject = z
  .custom<object>(isObject, 'expected an object, which can be given in code only')
  .meta(inCodeOnly)

/** Settings that are the driver's business: passed on as they are. */
const settings = z.custom<object>(isObject, 'expected a mapping').meta({ type: 'object' })

const commonKeys = {
  synchronize: flag.describe("Creates or alters this shard's tables when it connects."),
  migrationsRun: flag.describe("Runs this shard's pending migrations when it connects."),
  dropSchema: flag.describe("Drops this shard's schema when it connects."),
  isolationLevel: z.enum([
    'READ UNCOMMITTED',
    'READ COMMITTED',
    'REPEATABLE READ',
    'SERIALIZABLE',
    'SNAPSHOT',
  ]),
  migrationsTableName: text,
  migrationsTransactionMode: z.enum(['all', 'none', 'each']),
  metadataTableName: text,
  namingStrategy: codeObject,
  logging: z.union(
    [
      z.boolean(),
      z.literal('all'),
      z.array(z.enum(['query', 'schema', 'error', 'warn', 'info', 'log', 'migration'])),
    ],
    'expected true, false, "all" or a list of query, schema, error, warn, info, log, migration',
  ),
  logger: z.union(
    [
      z.enum(['advanced-console', 'simple-console', 'formatted-console', 'file', 'debug']),
      codeObject,
    ],
    'expected advanced-console, simple-console, formatted-console, file, debug or (in code) a logger',
  ),
  maxQueryExecutionTime: milliseconds,
  entityPrefix: z.string(),
  entitySkipConstructor: flag,
  relationLoadStrategy: z.enum(['join', 'query']),
  typename: text,
  cache: z.union([flag, settings], 'expected true, false or a mapping'),
  isolateWhereStatements: flag,
  invalidWhereValuesBehavior: z.strictObject({
    null: z.enum(['ignore', 'sql-null', 'throw']).exactOptional(),
    undefined: z.enum(['ignore', 'throw']).exactOptional(),
  }),
  driver: codeObject,
  extra: settings.describe('Settings passed to the driver as they are.'),
}

const serverKeys = {
  host: text.describe("The server's name or address."),
  port: z.int().min(1).max(65_535).describe("The server's port."),
  url: text.describe('The server as one URL, instead of host and port.'),
  username: credential.describe(
    'Inherited from the default shard, or by a replica from its shard.',
  ),
  database: text.describe('The database. Inherited like the credentials.'),
  poolSize: z.int().positive().describe('The most connections to one server.'),
}

export const connectionKeys = {
  mysql: {
    ...commonKeys,
    ...serverKeys,
    socketPath: text.describe("The server's Unix socket, instead of host and port."),
    password: credential,
    ssl: z.union([flag, text, settings], 'expected true, false, a profile name or a mapping'),
    charset: text,
    timezone: text,
    connectTimeout: milliseconds,
    acquireTimeout: milliseconds,
    insecureAuth: flag,
    supportBigNumbers: flag,
    bigNumberStrings: flag,
    dateStrings: z.union([flag, texts], 'expected true, false or a list of types'),
    debug: z.union([flag, texts], 'expected true, false or a list of packets'),
    trace: flag,
    multipleStatements: flag,
    legacySpatialSupport: flag,
    flags: texts,
    enableQueryTimeout: flag,
  },
  postgres: {
    ...commonKeys,
    ...serverKeys,
    password: z.union(
      [credential, z.custom<() => string>((value) => typeof value === 'function').meta(inCodeOnly)],
      'expected a string or (in code) a function',
    ) as z.ZodType<Password, Password>,
    ssl: z.union([flag, settings], 'expected true, false or a mapping'),
    schema: text.describe('The schema; "public" by default.'),
    applicationName: text,
    nativeDriver: codeObject,
    useUTC: flag,
    connectTimeoutMS: milliseconds,
    uuidExtension: z.enum(['pgcrypto', 'uuid-ossp']),
    poolErrorHandler: callback,
    logNotifications: flag,
    installExtensions: flag,
    parseInt8: flag,
    extensions: texts,
  },
  sqljs: {
    ...commonKeys,
    database: z
      .custom<Uint8Array>(
        (value) => value instanceof Uint8Array,
        'expected bytes: sql.js takes its initial content here, and names its file by "location"',
      )
      .meta(inCodeOnly),
    location: text.describe('The file; without one the database lives in memory.'),
    sqlJsConfig: settings,
    autoSave: flag,
    autoSaveCallback: callback,
    useLocalForage: flag,
  },
  'better-sqlite3': {
    ...commonKeys,
    database: text.describe('The file, or ":memory:".'),
    key: credential,
    statementCacheSize: z.int().nonnegative(),
    prepareDatabase: callback,
    readonly: flag,
    fileMustExist: flag,
    timeout: milliseconds,
    verbose: callback,
    nativeBinding: text,
    enableWAL: flag,
  },
} as const satisfies Record<EngineFamily, Record<string, z.ZodType>>

/** Every key of every engine, for checking a shard whose engine is not known yet. */
export const anyEngineKeys = {
  ...connectionKeys['better-sqlite3'],
  ...connectionKeys.sqljs,
  ...connectionKeys.postgres,
  ...connectionKeys.mysql,
  password: connectionKeys.postgres.password.describe('Use ${VARIABLE}; never printed.'),
  database: z
    .union(
      [connectionKeys.postgres.database, connectionKeys.sqljs.database],
      'expected a name that is not empty (a file for better-sqlite3, bytes for sql.js)',
    )
    .describe('The database on the server; better-sqlite3: the file or ":memory:".'),
}
