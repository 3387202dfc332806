import type { ShardName } from './program.js'

/** A server: the primary of a shard, or the one replica that brazil has. */
export type Server = ShardName | 'brazil replica'

/** What a call must do: statements of one kind on one server, or an error before any. */
export interface Expectation {
  readonly server: Server | undefined
  readonly shape: keyof typeof shapes
  readonly error?: 'CrossShardError' | 'ReadOnlyScopeError'
}

/** The statements of a call, one after the other with commas between. */
export const shapes = {
  nothing: /^$/,
  read: /^select (?:person|pet)$/,
  insert: /^insert person$/,
  update: /^update person$/,
  save: /^(?:select person,)?begin,(?:insert|update) person,commit$/,
  remove: /^(?:select person,)?begin,delete person,commit$/,
  'save in a transaction': /^(?:select person,)?(?:insert|update) person$/,
  'refused save': /^(?:select person)?$/,
  begin: /^begin$/,
  commit: /^commit$/,
  rollback: /^rollback$/,
  savepoint: /^savepoint$/,
  'release savepoint': /^(?:release savepoint)?$/,
  'rollback to savepoint': /^rollback to savepoint$/,
} as const

/** What is around a call. Each scope makes a new one; only the ledger is shared. */
export interface Place {
  /** The shard that the nearest scope names. */
  readonly shard: ShardName | undefined
  readonly role: 'primary' | 'replica' | undefined
  /** The shards that were written in the outermost scope; undefined outside every scope. */
  readonly written: Set<ShardName> | undefined
  /** The shard whose un-managed reads are on its primary: that of the transaction around. */
  readonly transactionOf: ShardName | undefined
  /** The shard that a scope inside the transaction names. */
  readonly shardInTransaction: ShardName | undefined
}

export const outside: Place = {
  shard: undefined,
  role: undefined,
  written: undefined,
  transactionOf: undefined,
  shardInTransaction: undefined,
}

/** The place inside a scope. */
export const within = (
  place: Place,
  scope: { readonly shard?: ShardName; readonly role?: 'primary' | 'replica' },
): Place => ({
  shard: scope.shard ?? place.shard,
  role: scope.role ?? place.role,
  written: place.written ?? new Set(),
  transactionOf: scope.role === undefined ? place.transactionOf : undefined,
  shardInTransaction: scope.shard ?? place.shardInTransaction,
})

/** The place in a transaction's callback. Only brazil has another server to read from. */
export const inTransaction = (place: Place, shard: ShardName): Place => ({
  ...place,
  shard,
  written: shard === 'brazil' ? (place.written ?? new Set()) : place.written,
  transactionOf: shard === 'brazil' ? shard : place.transactionOf,
  shardInTransaction: undefined,
})

/** The shard of what nothing binds. */
export const shardHere = ({ shard }: Place): ShardName => shard ?? 'master'

const refused = (error: 'CrossShardError' | 'ReadOnlyScopeError'): Expectation => ({
  server: undefined,
  shape: 'nothing',
  error,
})

const replicaOf = (shard: ShardName): Server => (shard === 'brazil' ? 'brazil replica' : shard)

/** A read by find or by a builder. */
export const read = (place: Place, shard: ShardName): Expectation => {
  const { role, written, transactionOf } = place
  const isOnPrimary =
    transactionOf === shard ||
    role === 'primary' ||
    (role === undefined && written?.has(shard) === true)
  return { server: isOnPrimary ? shard : replicaOf(shard), shape: 'read' }
}

/** A read by SQL of one's own. */
export const raw = (place: Place, shard: ShardName): Expectation => ({
  server: place.role === 'replica' ? replicaOf(shard) : shard,
  shape: 'read',
})

/** A write by a builder. */
export const write = (place: Place, shard: ShardName, shape: 'insert' | 'update'): Expectation => {
  if (place.role === 'replica') return refused('ReadOnlyScopeError')
  place.written?.add(shard)
  return { server: shard, shape }
}

/** A save or a removal. */
export const persist = (place: Place, shard: ShardName, shape: 'save' | 'remove'): Expectation => {
  if (place.role === 'replica')
    return { server: replicaOf(shard), shape: 'refused save', error: 'ReadOnlyScopeError' }
  place.written?.add(shard)
  return { server: shard, shape }
}

/** What a call is refused for that brings an entity of `home` to a shard that it is bound to. */
export const broughtTo = (
  shard: ShardName,
  home: ShardName | undefined,
): Expectation | undefined =>
  home === undefined || home === shard ? undefined : refused('CrossShardError')

/** A call through a transaction's manager. */
export const managed = (
  { shardInTransaction }: Place,
  shard: ShardName,
  shape: 'read' | 'insert' | 'save in a transaction',
): Expectation =>
  shardInTransaction === undefined || shardInTransaction === shard
    ? { server: shard, shape }
    : refused('CrossShardError')
