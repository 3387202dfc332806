import {
  type DeclaredReplica,
  type DeclaredShard,
  declareDefaultShard,
  declareShards,
} from './declared.js'
import { type Heritage, resolveConnection } from './connection.js'
import { type Connection, isFileEngine } from './inherit.js'
import { loadOptions } from './load.js'
import { resolveMigrations } from './migrations.js'
import { checkNames } from './names.js'
import { nodeNames } from './node-name.js'
import type { OctopusOptions } from './options.js'
import { checkPool, checkPoolFor } from './pool.js'
import { Problems } from './problems.js'
import type { ResolvedConfig, ResolvedEndpoint, ResolvedShard } from './resolved.js'
import { checkShape } from './shape.js'
import { type PlacedEndpoint, checkSharedServers } from './shared-server.js'
import { resolveUnsharded } from './unsharded.js'
import { parseUrl } from './url.js'
import { resolveSeal } from './writes-seal.js'
import {
  type Engine,
  type EngineFamily,
  type SqlCommentWord,
  defaultSqlComment,
  engines,
  familyOf,
  isEngine,
} from './words.js'

const isDevelopment = (): boolean => process.env['NODE_ENV'] === 'development'

const sqlCommentOf = (given: OctopusOptions['sqlComments'] = false): readonly SqlCommentWord[] =>
  Object.freeze(
    given === true ? [...defaultSqlComment] : given === false ? [] : [...new Set(given)].sort(),
  )

/** A shard that has been resolved, with what the checks across shards need. */
interface PlacedShard {
  readonly shard: ResolvedShard
  readonly endpoints: readonly PlacedEndpoint[]
}

const checkDefault = (
  connection: Connection,
  options: OctopusOptions,
  { hasHeirs, hasReplicas }: { readonly hasHeirs: boolean; readonly hasReplicas: boolean },
  problems: Problems,
): void => {
  const { type } = connection
  if (typeof type !== 'string')
    problems.report(['dataSource', 'type'], 'is missing; the DataSource must have a type')
  else if (hasHeirs && !isEngine(type))
    problems.report(
      ['dataSource', 'type'],
      `"${type}" can be wrapped only without replicas and further shards; those can be ${engines.join(', ')}`,
    )
  if (connection['replication'] !== undefined && hasReplicas && options.enabled !== false)
    problems.report(
      ['dataSource', 'replication'],
      'is TypeORM\'s own, beside "replicas" of octopus(); give its "master" as options of the DataSource itself, and list its "slaves" under "replicas"',
    )
}

/** What can be inherited from the DataSource: its URL in parts, which win as they do in TypeORM. */
const heritageOf = (
  { url, ...rest }: Connection,
  family: EngineFamily,
  problems: Problems,
): Connection => {
  if (typeof url !== 'string' || isFileEngine(family)) return rest
  // TypeORM drops a MySQL URL's parameters, so that nothing is lost; pg reads its own
  const parameters = family === 'mysql' ? 'ignored' : 'refused'
  return { ...rest, ...parseUrl(url, family, ['dataSource', 'url'], problems, parameters) }
}

/** The database of the DataSource, also where its URL names it; what is wrong is told elsewhere. */
const databaseOf = (connection: Connection): string | undefined => {
  const { type } = connection
  const { database } = isEngine(type)
    ? heritageOf(connection, familyOf(type), new Problems())
    : connection
  return typeof database === 'string' && database !== '' ? database : undefined
}

const resolveReplica = (
  replica: DeclaredReplica,
  engine: Engine,
  from: Heritage,
  problems: Problems,
): Connection => {
  const { type } = replica.connection
  if (type !== undefined && type !== engine)
    problems.report(
      [...replica.path, 'type'],
      `is ${type}, but its primary is ${engine}; a replica has its primary's engine: remove it`,
    )
  return resolveConnection(replica.connection, engine, from, replica.path, problems)
}

const shardOf = (
  declared: DeclaredShard,
  engine: string,
  primary: Connection,
  replicas: readonly Connection[],
  kept: KeptNames,
): ResolvedShard => {
  const [primaryName, ...replicaNames] = kept.get(declared.name) ?? []
  const names = nodeNames([
    { name: primaryName, connection: primary },
    ...declared.replicas.map(({ name }, index) => ({
      name: name ?? replicaNames[index],
      connection: replicas[index] ?? {},
    })),
  ])
  const endpoint = (index: number, fields: Omit<ResolvedEndpoint, 'name'>): ResolvedEndpoint =>
    Object.freeze({ name: names[index] ?? fields.role, ...fields })
  return Object.freeze({
    name: declared.name,
    engine,
    primary: endpoint(0, { role: 'primary', group: undefined, weight: 1, connection: primary }),
    replicas: Object.freeze(
      declared.replicas.map(({ group, weight }, index) =>
        endpoint(index + 1, { role: 'replica', group, weight, connection: replicas[index] ?? {} }),
      ),
    ),
    ...declared.settings,
  })
}

const placed = (
  declared: DeclaredShard,
  engine: Engine,
  primary: { readonly connection: Connection; readonly heritage: Connection },
  kept: KeptNames,
  problems: Problems,
): PlacedShard => {
  const family = familyOf(engine)
  const from = { connection: primary.heritage, family }
  const replicas = declared.replicas.map((replica) =>
    resolveReplica(replica, engine, from, problems),
  )
  const first: PlacedEndpoint = {
    path: declared.path,
    connection: primary.heritage,
    family,
    primary: undefined,
    url: declared.connection.url,
  }
  return {
    shard: shardOf(declared, engine, primary.connection, replicas, kept),
    endpoints: [
      first,
      ...declared.replicas.map(({ path, connection: { url } }, index) => ({
        path,
        connection: replicas[index] ?? {},
        family,
        primary: first,
        url,
      })),
    ],
  }
}

const resolveShard = (
  declared: DeclaredShard,
  from: Heritage & { readonly type: unknown; readonly verify: OctopusOptions['verify'] },
  kept: KeptNames,
  problems: Problems,
): PlacedShard[] => {
  const engine = declared.connection.type ?? from.type
  // without a usable engine nothing more can be said; the reason has been reported
  if (!isEngine(engine) || problems.covers([...declared.path, 'type'])) return []
  checkPool(declared.pool, from.verify, declared.path, problems)
  checkPoolFor(declared.pool, familyOf(engine), declared.path, problems)
  const connection = resolveConnection(declared.connection, engine, from, declared.path, problems)
  return [placed(declared, engine, { connection, heritage: connection }, kept, problems)]
}

const resolveGroups = (options: OctopusOptions): ResolvedConfig['groups'] =>
  new Map(
    Object.entries(options.groups ?? {}).flatMap(([name, [first, ...rest]]) =>
      first === undefined ? [] : [[name, Object.freeze([first, ...rest] as const)]],
    ),
  )

/**
 * Names that the servers of each shard have already, the primary's first. Where there is none, or it is
 * undefined, a name is made from the host or file.
 */
export type KeptNames = ReadonlyMap<string, readonly (string | undefined)[]>

/** Options as they were given or read from a file, and what they come to. */
export interface Resolution {
  readonly options: OctopusOptions
  readonly config: ResolvedConfig
}

/**
 * Checks options and yields them complete: aliases translated, defaults filled in, connections
 * inherited. `defaultOptions` are those of the wrapped DataSource; its `url` may be left in.
 *
 * @throws ConfigError with every problem found, and the file if the options are the path of one
 */
export const resolveConfig = (
  options: OctopusOptions | string,
  defaultOptions: Readonly<Record<string, unknown>>,
): ResolvedConfig => resolveOptions(options, defaultOptions).config

/**
 * As `resolveConfig`, with the options themselves, to be changed and resolved again.
 *
 * @param kept - names that servers keep, wherever they have moved
 * @throws ConfigError with every problem found
 */
export const resolveOptions = (
  options: OctopusOptions | string,
  defaultOptions: Readonly<Record<string, unknown>>,
  kept: KeptNames = new Map(),
): Resolution => {
  const problems = new Problems()
  const file = typeof options === 'string' ? options : undefined
  const given =
    (typeof options === 'string'
      ? loadOptions(options, process.env, problems)
      : checkShape(options, problems)) ?? {}
  checkNames(given, problems)

  const declaredDefault = declareDefaultShard(given)
  const declared = declareShards(given)
  const hasReplicas = declaredDefault.replicas.length > 0
  const hasHeirs = hasReplicas || declared.length > 0
  checkDefault(defaultOptions, given, { hasHeirs, hasReplicas }, problems)

  checkPool(given, undefined, [], problems)
  const { type } = defaultOptions
  const family = isEngine(type) ? familyOf(type) : undefined
  const heritage =
    family !== undefined && hasHeirs ? heritageOf(defaultOptions, family, problems) : defaultOptions
  const first: PlacedShard = isEngine(type)
    ? placed(declaredDefault, type, { connection: defaultOptions, heritage }, kept, problems)
    : { shard: shardOf(declaredDefault, String(type), defaultOptions, [], kept), endpoints: [] }
  const others = declared.flatMap((shard) =>
    resolveShard(
      shard,
      { connection: heritage, family, type, verify: given.verify },
      kept,
      problems,
    ),
  )
  if (given.allowSharedServer !== true)
    checkSharedServers(
      [first, ...others].flatMap(({ endpoints }) => endpoints),
      problems,
    )
  problems.throwIfAny(file)

  const config = Object.freeze({
    defaultShard: declaredDefault.name,
    shards: Object.freeze([first.shard, ...others.map(({ shard }) => shard)] as const),
    groups: resolveGroups(given),
    readYourWritesMs: given.readYourWrites?.windowMs ?? 5000,
    writesSeal: resolveSeal(
      given.readYourWrites ?? {},
      databaseOf(defaultOptions) ?? declaredDefault.name,
    ),
    fullyReplicated: given.fullyReplicated ?? true,
    replicated: Object.freeze([...(given.replicated ?? [])]),
    unsharded: Object.freeze((given.unsharded ?? []).map(resolveUnsharded)),
    strict: given.strict ?? false,
    fanOutConcurrency: given.fanOutConcurrency ?? 8,
    migrations: resolveMigrations(given.migrations, given.fanOutConcurrency ?? 8),
    enabled: given.enabled ?? true,
    collapseReplicas: given.collapseReplicas ?? false,
    carrier: given.carrier,
    maxConnections: given.maxConnections,
    checkoutCallSites: given.checkoutCallSites ?? isDevelopment(),
    traceCallSites: given.trace?.callSites ?? isDevelopment(),
    sqlComments: sqlCommentOf(given.sqlComments),
  })
  return { options: given, config }
}
