import { connectionKeys } from './connection-keys.js'
import { type Connection, isFileEngine } from './inherit.js'
import type { ConnectionOptions, ReplicaOptions } from './options.js'
import { Problems } from './problems.js'
import { parseUrl } from './url.js'
import { type Engine, familyOf } from './words.js'

/** Options that the metadata, the driver's module or `initialize()` have used up once they are made. */
const settledKeys = [
  'type',
  'schema',
  'entityPrefix',
  'namingStrategy',
  'metadataTableName',
  'migrationsTableName',
  'migrationsTransactionMode',
  'entitySkipConstructor',
  'relationLoadStrategy',
  'typename',
  'cache',
  'isolateWhereStatements',
  'invalidWhereValuesBehavior',
  'isolationLevel',
  'logger',
  'logging',
  'maxQueryExecutionTime',
  'synchronize',
  'migrationsRun',
  'dropSchema',
  'driver',
  'nativeDriver',
  'uuidExtension',
  'legacySpatialSupport',
] as const satisfies readonly (keyof ConnectionOptions)[]

/**
 * What can be changed of a server while the process runs: where it is, how it is connected, and for a
 * replica its share and its group. What is left out stays as it is.
 */
export interface NodeOptions
  extends
    Omit<ConnectionOptions, (typeof settledKeys)[number]>,
    Pick<ReplicaOptions, 'group' | 'slaveGroup' | 'weight'> {}

const replicaKeys = ['group', 'slaveGroup', 'weight']

const refusal = (key: string, role: 'primary' | 'replica', engine: Engine): string | undefined => {
  if (key === 'name') return 'cannot be changed: a server keeps its name wherever it moves'
  if ((settledKeys as readonly string[]).includes(key))
    return 'cannot be changed while the process runs; change it where the DataSource is made'
  if (replicaKeys.includes(key))
    return role === 'replica' ? undefined : 'is an option of replicas, and this is the primary'
  if (!Object.hasOwn(connectionKeys[familyOf(engine)], key))
    return `is not an option of one ${engine} server`
  return undefined
}

/**
 * Checks what is to be changed of a server, as far as that can be done without the rest.
 *
 * @throws ConfigError with every problem found
 */
export const checkNodeOptions = (
  change: NodeOptions,
  role: 'primary' | 'replica',
  engine: Engine,
): void => {
  const problems = new Problems()
  const schemas: Readonly<Record<string, { safeParse(value: unknown): { success: boolean } }>> =
    connectionKeys[familyOf(engine)]
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) continue
    const message = refusal(key, role, engine)
    if (message !== undefined) problems.report([key], message)
    else if (schemas[key]?.safeParse(value).success === false)
      problems.report([key], `has a value that ${engine} does not take`)
  }
  problems.throwIfAny(undefined)
}

/** What names the same thing in another way, and goes when that is given. */
const rivals: Readonly<Record<string, readonly string[]>> = {
  host: ['socketPath'],
  port: ['socketPath'],
  socketPath: ['host', 'port'],
  url: ['host', 'port', 'socketPath'],
  group: ['slaveGroup'],
  slaveGroup: ['group'],
}

/**
 * A server's options with some of them changed. A URL is taken apart where one of its parts changes,
 * and what names the server in another way goes.
 *
 * @throws ConfigError if a new URL cannot be read
 */
export const withNodeOptions = <T extends Connection>(
  options: T,
  change: NodeOptions,
  engine: Engine,
): T => {
  const family = familyOf(engine)
  const given = Object.entries(change).filter(([, value]) => value !== undefined)
  if (isFileEngine(family)) return { ...options, ...Object.fromEntries(given) }
  const problems = new Problems()
  const partsOf = (url: unknown): Connection =>
    typeof url === 'string' ? { ...parseUrl(url, family, ['url'], problems) } : {}
  const { url, ...rest } = options as Connection
  const parts = partsOf(url)
  const isTaken = given.some(([key]) => key in parts || key in rivals)
  const replaced = new Set([
    ...given.flatMap(([key]) => rivals[key] ?? []),
    ...Object.keys(partsOf(change.url)),
  ])
  problems.throwIfAny(undefined)
  const present = isTaken ? { ...rest, ...parts } : options
  return {
    ...Object.fromEntries(Object.entries(present).filter(([key]) => !replaced.has(key))),
    ...Object.fromEntries(given),
  } as T // as complete as it was
}
