import { OctopusError } from './base.js'
import { listed } from './text.js'

/** A shard was named that the topology does not have. */
export class UnknownShardError extends OctopusError {
  readonly shard: string
  readonly known: readonly string[]

  constructor(shard: string, known: readonly string[], hint = '') {
    super(
      'unknown-shard',
      'route',
      `Unknown shard "${shard}"; configured shards: ${listed(known)}.${hint}`,
    )
    this.shard = shard
    this.known = known
  }
}

/** A shard group was named that the topology does not have. */
export class UnknownGroupError extends OctopusError {
  readonly group: string
  readonly known: readonly string[]

  constructor(group: string, known: readonly string[]) {
    super(
      'unknown-group',
      'route',
      `Unknown shard group "${group}"; configured groups: ${listed(known)}.`,
    )
    this.group = group
    this.known = known
  }
}

/** A replica group was asked for on a shard that does not have it. */
export class UnknownReplicaGroupError extends OctopusError {
  readonly shard: string
  readonly replicaGroup: string
  readonly known: readonly string[]

  constructor(shard: string, replicaGroup: string, known: readonly string[]) {
    super(
      'unknown-replica-group',
      'route',
      `Shard "${shard}" has no replica group "${replicaGroup}"; its replica groups: ${listed(known)}.`,
    )
    this.shard = shard
    this.replicaGroup = replicaGroup
    this.known = known
  }
}

/** A scope was opened with arguments that cannot mean anything. */
export class InvalidScopeError extends OctopusError {
  constructor(message: string) {
    super('invalid-scope', 'route', message)
  }
}

const tokenRefusals = {
  expired: 'it has expired: what it tells of was written longer ago than readYourWrites.windowMs',
  forged:
    'it was not signed with a secret of readYourWrites.secret, or was changed or cut off since',
  foreign:
    'it was signed for another data source: by another readYourWrites.issuer, with shards that are not configured here, or by another version',
} as const

/** Why a token of `exportWrites()` was refused. */
export type WritesTokenFailure = keyof typeof tokenRefusals

/** A scope was given writes that it cannot trust. The work did not run. */
export class WritesTokenError extends OctopusError {
  readonly failure: WritesTokenFailure

  constructor(failure: WritesTokenFailure) {
    super(
      'writes-token',
      'route',
      `The writes token was refused, since ${tokenRefusals[failure]}. Open the scope without it, and its reads may be too old.`,
    )
    this.failure = failure
  }
}

/** A replica was demanded and the shard has none to give. */
export class NoReplicaError extends OctopusError {
  readonly shard: string
  readonly replicaGroup: string | undefined

  constructor(shard: string, replicaGroup: string | undefined, options?: ErrorOptions) {
    const which = replicaGroup === undefined ? 'replica' : `replica in group "${replicaGroup}"`
    super(
      'no-replica',
      'route',
      `Shard "${shard}" has no available ${which} and onNoReplica is "error"; add a replica, or set onNoReplica: "primary".`,
      options,
    )
    this.shard = shard
    this.replicaGroup = replicaGroup
  }
}

/** A write, a lock or schema work was asked for inside `usingReplica`. Nothing was sent. */
export class ReadOnlyScopeError extends OctopusError {
  readonly shard: string
  readonly operation: string

  constructor(shard: string, operation: string) {
    super(
      'read-only-scope',
      'route',
      `${operation} inside usingReplica on shard "${shard}": a replica scope is read-only. Move it out of the scope, or wrap it in usingPrimary.`,
    )
    this.shard = shard
    this.operation = operation
  }
}

/** One operation touches two shards. Nothing was sent. */
export class CrossShardError extends OctopusError {
  readonly shards: readonly string[]

  constructor(what: string, shards: readonly string[], remedy: string) {
    const names = shards.map((shard) => `"${shard}"`).join(' and ')
    const noun = shards.length === 1 ? 'shard' : 'shards'
    super('cross-shard', 'route', `${what} (${noun} ${names}). ${remedy}`)
    this.shards = shards
  }
}

/** A query was built for one engine and run on a shard of another. */
export class EngineMismatchError extends OctopusError {
  constructor(builtFor: string, runOn: string) {
    super(
      'engine-mismatch',
      'route',
      `The query was built for ${builtFor} and cannot run on ${runOn}: their SQL and metadata differ. Build it inside the scope of the shard it is for, or on db.shard(name).`,
    )
  }
}

/** A schema was about to be dropped without saying of which shard. */
export class DestructiveSchemaError extends OctopusError {
  readonly operation: string
  readonly known: readonly string[]

  constructor(operation: string, known: readonly string[]) {
    super(
      'destructive-schema',
      'route',
      `${operation} drops data, and the data source has several shards: ${listed(known)}. Say which: using(shard, …), usingAll(…) or db.shard(shard).`,
    )
    this.operation = operation
    this.known = known
  }
}

/** Work over several shards failed on some of them. Thrown after all have settled. */
export class FanOutError extends OctopusError {
  /** What failed, by shard, in declaration order. */
  readonly failures: readonly { readonly shard: string; readonly error: unknown }[]
  /** The shards on which the work succeeded. */
  readonly succeeded: readonly string[]

  constructor(
    failures: readonly { readonly shard: string; readonly error: unknown }[],
    succeeded: readonly string[],
  ) {
    const lines = failures.map(
      ({ shard, error }) =>
        `  - ${shard}: ${error instanceof Error ? error.message : String(error)}`,
    )
    super(
      'fan-out',
      'query',
      [
        `Failed on ${failures.length} of ${failures.length + succeeded.length} shards (succeeded: ${listed(succeeded)})`,
        ...lines,
      ].join('\n'),
      { cause: failures[0]?.error },
    )
    this.failures = failures
    this.succeeded = succeeded
  }
}
