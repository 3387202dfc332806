/** A random program over three shards: what is done, where, in which scopes. Pure data. */
export const shards = ['master', 'brazil', 'canada'] as const
export type ShardName = (typeof shards)[number]

/** Where a program keeps entities and query builders for later. */
export type Slot = 0 | 1 | 2

/** What one call does. `slot` names an entity, or for `build` and `run` a query builder. */
export type Call =
  | { readonly do: 'find' | 'raw' | 'insert' }
  | { readonly do: 'findOn' | 'insertOn'; readonly shard: ShardName }
  | { readonly do: 'create' | 'load' | 'build' | 'run'; readonly slot: Slot }
  | CallOnEntity
  | { readonly do: 'throw' }

/** What one call does with an entity that was created or loaded before. */
export type CallOnEntity =
  | {
      readonly do: 'save' | 'remove' | 'update' | 'lazy' | 'relation' | 'findBy'
      readonly slot: Slot
    }
  | { readonly do: 'saveOn'; readonly slot: Slot; readonly shard: ShardName }

/** What is done through the manager of the transaction around it. */
export type ManagedCall =
  | { readonly do: 'txFind' }
  | { readonly do: 'txInsert' }
  | { readonly do: 'txSave'; readonly slot: Slot }

type Scope =
  | { readonly do: 'using'; readonly shard: ShardName }
  | { readonly do: 'usingPrimary' | 'usingReplica' | 'scope' }

export type ScopeStep = Scope & { readonly body: readonly Step[] }
export type Transaction = {
  readonly do: 'transaction'
  /** The handle that begins it; the data source itself where there is none. */
  readonly shard?: ShardName
  readonly body: readonly TransactionStep[]
}
export type Parallel = { readonly do: 'parallel'; readonly branches: readonly (readonly Step[])[] }

export type TransactionStep =
  | ManagedCall
  | { readonly do: 'find' | 'raw' | 'throw' }
  | { readonly do: 'savepoint'; readonly body: readonly ManagedCall[] }
  | (Scope & { readonly body: readonly TransactionStep[] })

export type Step = Call | ScopeStep | Transaction | Parallel
export type Program = readonly Step[]
