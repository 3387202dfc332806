import { callSite } from '../context/call-site.js'
import { currentFrame, enterFrame } from '../context/carrier.js'
import { type Frame, type FrameChange, childFrame, frameOf } from '../context/frame.js'
import {
  InvalidScopeError,
  NoReplicaError,
  UnknownGroupError,
  UnknownReplicaGroupError,
  UnknownShardError,
} from '../errors.js'
import type { ConnectionScope, LateWork } from '../pool/connection-scope.js'
import { ambientShard } from '../router/decide.js'
import type { RoutePolicy } from '../router/policy.js'
import type { Topology } from '../topology/snapshot.js'
import type { TopologyStore } from '../topology/store.js'
import type { RouteEvent } from '../trace/event.js'
import { RouteSieve } from '../trace/filter.js'
import { type RouteListenerOptions, type RouteRecord, eventFor } from '../trace/hub.js'
import {
  type FanOutOptions,
  type ShardSettled,
  type ShardValue,
  valuesOrThrow,
  visitShards,
} from './fan-out.js'
import type { CarriedWrites, ExportWritesOptions, ScopeOptions } from './carried-writes.js'
import { keptInScope } from './generators.js'

/** Which replicas a `usingReplica` scope reads. */
export interface ReplicaScope {
  /** The replica group; any replica of the shard where it is left out. */
  readonly group?: string
  /** Alias of `group`. */
  readonly slaveGroup?: string
}

/** What a traced scope returned, and what it sent. */
export interface Traced<T> {
  readonly value: T
  readonly events: readonly RouteEvent[]
}

/** How scopes are opened. */
export interface ScopeSettings {
  /** How many shards a fan-out works on at a time by default. */
  readonly concurrency: number
  /** Whether it is remembered where each scope was opened. */
  readonly callSites: boolean
}

const described = (value: unknown): string =>
  Array.isArray(value) ? 'an array' : value === null ? 'null' : typeof value

/** Opens scopes for one data source: checks names, makes frames, enters them. Never connects. */
export class Scopes {
  readonly #owner: object
  readonly #topology: TopologyStore
  readonly #policy: RoutePolicy
  readonly #carried: CarriedWrites
  readonly #settings: ScopeSettings
  readonly #connectionScope: (late: LateWork) => ConnectionScope

  /**
   * @param owner - the token that marks this data source's frames
   * @param connectionScope - makes what owns the connections of a throw-away scope
   */
  constructor(
    owner: object,
    topology: TopologyStore,
    policy: RoutePolicy,
    carried: CarriedWrites,
    settings: ScopeSettings,
    connectionScope: (late: LateWork) => ConnectionScope,
  ) {
    this.#owner = owner
    this.#topology = topology
    this.#policy = policy
    this.#carried = carried
    this.#settings = settings
    this.#connectionScope = connectionScope
  }

  /** The innermost scope of this data source around the caller. */
  current(): Frame | undefined {
    return frameOf(this.#owner, currentFrame())
  }

  /** The shard that work runs on here. */
  currentShard(): string {
    return ambientShard(this.current(), this.#topology.current, this.#policy).name
  }

  /** Runs `work` in a new scope inside the current one. */
  enter<T>(change: FrameChange, work: () => T): T {
    return enterFrame(this.#child(change), work)
  }

  #child(change: FrameChange): Frame {
    const parent = currentFrame()
    return childFrame(this.#owner, frameOf(this.#owner, parent), parent, this.#sited(change))
  }

  /** With the place where the scope is opened, if places are remembered. */
  #sited(change: FrameChange): FrameChange {
    const isNoted = !this.#settings.callSites || change.origin === 'library' || 'callSite' in change
    return isNoted ? change : { ...change, callSite: callSite() }
  }

  /** As `enter`; a generator that `work` returns stays in the scope, wherever it is consumed. */
  #enterAndKeep<T>(change: FrameChange, work: () => T): T {
    const frame = this.#child(change)
    return keptInScope(enterFrame(frame, work), frame)
  }

  using<T>(shard: string, work: () => T): T {
    return this.#enterAndKeep(this.#shardChange(shard), checkedWork('using', work))
  }

  /** Checks the name, and that the shard has the replica group that is inherited. */
  #shardChange(shard: string): FrameChange {
    const { current } = this.#topology
    const topology = shardNamed(current, shard)
    const group = this.current()?.replicaGroup
    if (group !== undefined && !topology.replicaGroups.includes(group))
      throw new UnknownReplicaGroupError(shard, group, topology.replicaGroups)
    return { label: `using ${shard}`, shard }
  }

  usingPrimary<T>(work: () => T): T {
    const change = { label: 'usingPrimary', role: 'primary' } as const
    return this.#enterAndKeep(change, checkedWork('usingPrimary', work))
  }

  usingReplica<T>(options: ReplicaScope, work: () => T): T {
    const group = options.group ?? options.slaveGroup
    const shard = shardNamed(this.#topology.current, this.currentShard())
    if (group !== undefined && !shard.replicaGroups.includes(group))
      throw new UnknownReplicaGroupError(shard.name, group, shard.replicaGroups)
    if (shard.replicas.length === 0 && shard.onNoReplica === 'error')
      throw new NoReplicaError(shard.name, group)
    const label = group === undefined ? 'usingReplica' : `usingReplica ${group}`
    return this.#enterAndKeep(
      { label, role: 'replica', replicaGroup: group },
      checkedWork('usingReplica', work),
    )
  }

  scope<T>(work: () => T, { writes, connections, late }: ScopeOptions = {}): T {
    checkWord('connections', connections, ['pooled', 'throwaway'])
    checkWord('late', late, ['refuse', 'connect'])
    if (late !== undefined && connections !== 'throwaway')
      throw new InvalidScopeError(
        'scope(work, { late }) is for scopes that own their connections; add connections: "throwaway".',
      )
    const owner = connections === 'throwaway' ? this.#connectionScope(late ?? 'refuse') : undefined
    const frame = this.#child({
      label: owner === undefined ? 'scope' : 'scope throwaway',
      ...(owner && { connections: owner }),
    })
    const checked = checkedWork('scope', work)
    if (writes !== undefined && writes !== null && writes !== '') {
      const seal = this.#carried.sealFor('scope(work, { writes })')
      this.#carried.import(writes, frame.writes, seal, this.#topology.current)
    }
    if (owner === undefined) return keptInScope(enterFrame(frame, checked), frame)
    return thenEnd(() => keptInScope(enterFrame(frame, checked), frame), owner)
  }

  exportWrites({ onlyNew = false }: ExportWritesOptions): string | undefined {
    const seal = this.#carried.sealFor('exportWrites()')
    const frame = this.current()
    if (frame === undefined)
      throw new InvalidScopeError(
        'exportWrites() is outside every scope, where no write is remembered; call it in the scope that wrote: using(shard, …) or db.octopus.scope(…).',
      )
    return this.#carried.export(frame.writes, seal, onlyNew)
  }

  async withTrace<T>(
    work: () => T | Promise<T>,
    options: RouteListenerOptions,
  ): Promise<Traced<T>> {
    const events: RouteEvent[] = []
    const outer = this.current()?.collector
    const sieve = new RouteSieve(options)
    let isOver = false
    const collector = (record: RouteRecord): void => {
      if (!isOver && sieve.passes(record.event)) events.push(eventFor(record, options))
      outer?.(record)
    }
    try {
      const value = await this.enter(
        { label: 'withTrace', collector },
        checkedWork('withTrace', work),
      )
      return { value, events }
    } finally {
      // What was started within, such as a timer, may keep the scope for as long as the process lasts.
      isOver = true
    }
  }

  usingGroup<T>(
    group: string,
    work: (shard: string) => T | Promise<T>,
    options: FanOutOptions & { readonly onError: 'collect' },
  ): Promise<ShardSettled<T>[]>
  usingGroup<T>(
    group: string,
    work: (shard: string) => T | Promise<T>,
    options?: FanOutOptions,
  ): Promise<ShardValue<T>[]>
  usingGroup<T>(
    group: string,
    work: (shard: string) => T | Promise<T>,
    options: FanOutOptions = {},
  ): Promise<ShardValue<T>[] | ShardSettled<T>[]> {
    const { groups } = this.#topology.current
    const shards = groups.get(group)
    if (shards === undefined) throw new UnknownGroupError(group, [...groups.keys()])
    return this.#fanOut('usingGroup', shards, work, options)
  }

  usingAll<T>(
    work: (shard: string) => T | Promise<T>,
    options: FanOutOptions & { readonly onError: 'collect' },
  ): Promise<ShardSettled<T>[]>
  usingAll<T>(
    work: (shard: string) => T | Promise<T>,
    options?: FanOutOptions,
  ): Promise<ShardValue<T>[]>
  usingAll<T>(
    work: (shard: string) => T | Promise<T>,
    options: FanOutOptions = {},
  ): Promise<ShardValue<T>[] | ShardSettled<T>[]> {
    return this.#fanOut('usingAll', this.#topology.current.shardNames, work, options)
  }

  async #fanOut<T>(
    call: string,
    shards: readonly string[],
    work: (shard: string) => T | Promise<T>,
    options: FanOutOptions,
  ): Promise<ShardValue<T>[] | ShardSettled<T>[]> {
    checkedWork(call, work)
    const visited = this.#policy.isEnabled ? shards : [this.#topology.current.defaultShard]
    // Now: later visits begin where others end.
    const changes = new Map(visited.map((shard) => [shard, this.#sited(this.#shardChange(shard))]))
    const outcomes = await visitShards(
      visited,
      options.concurrency ?? this.#settings.concurrency,
      (shard) => this.enter(changes.get(shard) ?? this.#shardChange(shard), () => work(shard)),
    )
    return options.onError === 'collect' ? outcomes : valuesOrThrow(outcomes)
  }
}

const checkWord = (option: string, value: unknown, words: readonly [string, string]): void => {
  if (value === undefined || words.some((word) => word === value)) return
  const known = words.map((word) => `"${word}"`).join(' or ')
  const given = typeof value === 'string' ? `"${value}"` : described(value)
  throw new InvalidScopeError(`scope(work, { ${option} }) takes ${known}, not ${given}.`)
}

/** Runs `work` and ends the scope of its connections; a promise settles when they are closed. */
const thenEnd = <T>(work: () => T, connections: ConnectionScope): T => {
  let value: T
  try {
    value = work()
  } catch (error) {
    void connections.end()
    throw error
  }
  if (!(value instanceof Promise)) {
    void connections.end()
    return value
  }
  const ended = async (work: Promise<unknown>): Promise<unknown> => {
    try {
      return await work
    } finally {
      await connections.end()
    }
  }
  return ended(value) as T
}

/** The shard of that name. */
export const shardNamed = (topology: Topology, shard: unknown) => {
  if (typeof shard !== 'string')
    throw new InvalidScopeError(
      `A scope names one shard by a string, not ${described(shard)}; for several shards use usingGroup or usingAll.`,
    )
  const found = topology.shards.get(shard)
  if (found !== undefined) return found
  throw new UnknownShardError(shard, topology.shardNames, hintFor(topology, shard))
}

const hintFor = (topology: Topology, name: string): string => {
  if (topology.groups.has(name)) return ` "${name}" is a shard group: use usingGroup.`
  const owner = [...topology.shards.values()].find(({ replicas }) =>
    replicas.some(({ node, group }) => node === name || group === name),
  )
  return owner === undefined
    ? ''
    : ` "${name}" is a replica of shard "${owner.name}": use usingReplica inside using("${owner.name}", …).`
}

const checkedWork = <T>(call: string, work: T): T => {
  if (typeof work !== 'function')
    throw new InvalidScopeError(`${call} takes a function to run, not ${described(work)}.`)
  return work
}
