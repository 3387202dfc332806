import { z } from 'zod'
import { anyEngineKeys } from './connection-keys.js'
import { poolShape } from './pool-schema.js'
import {
  connectWords,
  engines,
  fallbackWords,
  migrationFailureWords,
  migrationTransactionWords,
  roleWords,
  sqlCommentWords,
} from './words.js'

/** Letters, digits and `_ - . :`, beginning with a letter or a digit. */
export const namePattern = /^[\p{L}\p{N}][\p{L}\p{N}_.:-]*$/u
export const nameRule = 'use letters, digits and _ - . :, beginning with a letter or a digit'

const name = z.string().regex(namePattern, `expected a name: ${nameRule}`)

type Optional<S extends z.ZodRawShape> = { [K in keyof S]: z.ZodExactOptional<S[K]> }

/** Makes each key one that may be left out. */
const optional = <S extends z.ZodRawShape>(shape: S): Optional<S> =>
  Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => [key, z.exactOptional(schema)]),
  ) as Optional<S> // fromEntries forgets which key has which schema

const wordsOf = <W extends Record<string, string>>(words: W): (keyof W & string)[] =>
  Object.keys(words)

const settings = {
  reads: z
    .enum(wordsOf(roleWords))
    .describe('Where plain reads go on a shard that has replicas. Default: replica.'),
  onNoReplica: z
    .enum(wordsOf(fallbackWords))
    .describe('What a read does when no replica is available. Default: primary.'),
  connect: z
    .enum(connectWords)
    .describe('Connects at first use, or when the data source is initialized. Default: lazy.'),
  ...poolShape,
}

const connectionShape = {
  type: z
    .enum(engines)
    .describe('The engine. Default: that of the default shard, or of the shard for its replicas.'),
  ...anyEngineKeys,
}

/** A replica's schema changes with its primary's. */
const replicaConnection = z
  .object(connectionShape)
  .omit({ synchronize: true, migrationsRun: true, dropSchema: true }).shape

export const replicaShape = {
  name: name.describe('Its name in traces and errors. Default: its host or file.'),
  group: name.describe('The replica group it belongs to.'),
  slaveGroup: name.describe('Alias of group.'),
  weight: z
    .int()
    .min(1)
    .max(1000)
    .describe("Its share of the reads, relative to its siblings' weights. Default: 1."),
  ...replicaConnection,
}

const replicas = z.array(z.strictObject(optional(replicaShape))).readonly()

const replicaLists = {
  replicas: replicas.describe('The read copies of this shard.'),
  slaves: replicas.describe('Alias of replicas.'),
}

export const shardShape = { ...replicaLists, ...settings, ...connectionShape }

const entityRule = "expected an entity's name or (in code) its class or schema"

const entity = z.union(
  [
    z.string().min(1),
    z
      .custom<Function | object>(
        (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
      )
      .meta({ codeOnly: true }),
  ],
  entityRule,
)

const unshardedEntity = z.strictObject({
  entity: entity.describe("The entity's name."),
  shard: name.describe('The shard it lives on. Default: the default shard.').exactOptional(),
  allowShard: z
    .array(name)
    .readonly()
    .describe('Further shards that have it; a scope or handle that names one is followed.')
    .exactOptional(),
  strict: z
    .boolean()
    .describe('Whether a scope or handle that names any other shard throws.')
    .exactOptional(),
})

const secretRule = 'expected at least 32 characters that nobody can guess'
// Not min(32): editors, which see `${SECRET}` in a file, must not measure it.
const secret = z.string().refine((text) => text.length >= 32, secretRule)

export const migrationShape = {
  default: z
    .union(
      [name, z.array(name).min(1).readonly()],
      'expected default, all, a shard, a group, or a list of those',
    )
    .describe(
      'Where migrations run that do not say it themselves: default, all, a shard, a group, or a list.',
    ),
  concurrency: z
    .int()
    .positive()
    .describe('How many shards are migrated at a time. Default: fanOutConcurrency.'),
  onError: z
    .enum(migrationFailureWords)
    .describe('Whether a failure on one shard stops the others. Default: stop.'),
  lockTimeoutMs: z
    .int()
    .nonnegative()
    .describe("For how many milliseconds a run waits for a shard's lock. Default: 60000."),
  transaction: z
    .enum(migrationTransactionWords)
    .describe(
      "Which migrations share a transaction. Default: migrationsTransactionMode, or 'all'.",
    ),
}

export const topShape = {
  defaultShard: name.describe("The name of the wrapped DataSource's shard. Default: master."),
  replicas: replicas.describe('The read copies of the default shard.'),
  slaves: replicaLists.slaves,
  shards: z
    .record(name, z.strictObject(optional(shardShape)))
    .describe('The other shards, by name. The default shard is not among them.'),
  groups: z
    .record(name, z.array(name).min(1).readonly())
    .describe('Shard groups: the names of their shards.'),
  ...settings,
  readYourWrites: z
    .strictObject({
      windowMs: z
        .int()
        .nonnegative()
        .describe('For how many milliseconds; 0 switches it off. Default: 5000.')
        .exactOptional(),
      secret: z
        .union([secret, z.array(secret).min(1).readonly()], 'expected a text, or a list of texts')
        .describe('Signs what exportWrites() gives to other processes. Of a list the first signs.')
        .exactOptional(),
      issuer: z
        .string()
        .min(1)
        .describe("Whose writes these are. Default: the default shard's database, or its name.")
        .exactOptional(),
    })
    .describe('Sends reads of a shard to its primary after a write in the same scope.'),
  fullyReplicated: z.boolean().describe('Whether every entity is on the replicas. Default: true.'),
  replicated: z
    .array(entity)
    .readonly()
    .describe('The entities that are on the replicas. Only with fullyReplicated: false.'),
  unsharded: z
    .array(z.union([unshardedEntity, entity], entityRule))
    .readonly()
    .describe('The entities outside sharding, which live on one shard whatever the scope.'),
  strict: z
    .boolean()
    .describe(
      'Whether a scope or handle that names another shard than an unsharded entity is on throws. Default: false.',
    ),
  fanOutConcurrency: z
    .int()
    .positive()
    .describe('How many shards usingGroup and usingAll visit at a time. Default: 8.'),
  migrations: z.strictObject(optional(migrationShape)).describe('Where and how migrations run.'),
  enabled: z
    .boolean()
    .describe('false passes everything to the wrapped DataSource. Default: true.'),
  collapseReplicas: z
    .boolean()
    .describe(
      "Lets each shard's primary serve its replicas' reads too, for tests. Default: false.",
    ),
  allowSharedServer: z
    .boolean()
    .describe('Allows two endpoints on the same server and database. Default: false.'),
  maxConnections: z
    .int()
    .positive()
    .describe('The most connections of a process, over all servers. Default: no limit.'),
  checkoutCallSites: z
    .boolean()
    .describe(
      'Whether it is remembered where each connection was taken, for error messages. Default: in development.',
    ),
  trace: z
    .strictObject({
      callSites: z
        .boolean()
        .describe('Where each scope was opened. Default: in development.')
        .exactOptional(),
    })
    .describe('What the trace takes note of.'),
  sqlComments: z
    .union(
      [z.boolean(), z.array(z.enum(sqlCommentWords)).readonly()],
      `expected true, false or a list of ${sqlCommentWords.join(', ')}`,
    )
    .describe(
      'Ends each statement with a comment that says how it was routed. true is shard, role and reason. Default: false.',
    ),
  carrier: z
    .custom<object>(
      (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
      'expected a carrier of the context, which can be given in code only',
    )
    .meta({ codeOnly: true }),
}

/** The shape of `OctopusOptions`; what depends on engines and inheritance is checked later. */
export const octopusSchema = z.strictObject(optional(topShape))
