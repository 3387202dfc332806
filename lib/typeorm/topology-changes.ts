import { isDeepStrictEqual } from 'node:util'
import * as edits from '../config/edits.js'
import { type NodeOptions, checkNodeOptions, withNodeOptions } from '../config/node-options.js'
import type { OctopusOptions, ReplicaOptions, ShardOptions } from '../config/options.js'
import { type KeptNames, resolveOptions } from '../config/resolve.js'
import type { ResolvedConfig, ResolvedShard } from '../config/resolved.js'
import { isEngine } from '../config/words.js'
import {
  ConfigError,
  type ConfigProblem,
  UnknownGroupError,
  UnknownNodeError,
  UnknownShardError,
} from '../errors.js'
import { endpointId, topologyAfter } from '../topology/snapshot.js'
import { checkCaches } from './cache-settings.js'
import type { ConnectionOptions } from './drivers.js'
import { familyOf } from './internals.js'
import { lateEngines, lateSchemaWork } from './initialize-only.js'
import type { Runtime } from './runtime.js'

/** Where a new shard belongs. */
export interface AddShardOptions {
  /** The shard groups that list it from now on, after their other shards. Default: none. */
  readonly groups?: readonly string[]
}

/** What a configuration is made from: the options, those of the DataSource, and the servers' names. */
interface Source {
  readonly options: OctopusOptions
  readonly defaults: ConnectionOptions
  readonly names: KeptNames
}

const refused = (path: string, message: string): ConfigError => new ConfigError([{ path, message }])

const namesIn = ({ primary, replicas }: ResolvedShard): string[] =>
  [primary, ...replicas].map(({ name }) => name)

const serversOf = ({ shards }: ResolvedConfig) =>
  shards.flatMap((shard) =>
    [shard.primary, ...shard.replicas].map((server) => ({
      id: endpointId(shard.name, server),
      engine: shard.engine,
      connection: server.connection,
    })),
  )

/**
 * Changes shards and servers while the process works. Each change is made in the options that were
 * given, which are then resolved anew as a whole, so that every check applies, and what inherits from
 * what was changed changes too. Until all checks have passed nothing is changed; then everything is,
 * at once; then the pools of servers that are gone or have moved drain.
 */
export class TopologyChanges {
  readonly #runtime: Runtime
  #source: Source

  /** @param defaults - the options of the wrapped DataSource, as shards inherit them */
  constructor(runtime: Runtime, options: OctopusOptions, defaults: ConnectionOptions) {
    this.#runtime = runtime
    this.#source = { options, defaults, names: new Map() }
  }

  async addShard(name: string, shard: ShardOptions, added: AddShardOptions = {}): Promise<void> {
    const { shards, groups } = this.#runtime.store.current
    if (shards.has(name))
      throw refused(
        `shards.${name}`,
        'is a shard already; updateNode changes its servers, addReplica adds one',
      )
    for (const group of added.groups ?? [])
      if (!groups.has(group)) throw new UnknownGroupError(group, [...groups.keys()])
    const options = edits.withShard(this.#source.options, name, shard, added.groups ?? [])
    await this.#change({ options })
  }

  async removeShard(name: string): Promise<void> {
    const { name: shard } = this.#shard(name)
    const { policy, pins, store } = this.#runtime
    const { defaultShard, groups } = store.current
    const reasons = [
      shard === defaultShard && 'is the default shard, which cannot be removed',
      shard === policy.ambientShard &&
        'is the shard that OCTOPUS_SHARD names for this process, and cannot be removed from it',
      ...pins
        .livingOn(shard)
        .map((entity) => `is where ${entity} lives, which is outside sharding; move that first`),
      ...[...groups]
        .filter(([, members]) => members.every((member) => member === shard))
        .map(([group]) => `is the only shard of the group "${group}", which cannot be empty`),
    ].filter((reason) => reason !== false)
    if (reasons.length > 0)
      throw new ConfigError(reasons.map((message) => ({ path: `shards.${shard}`, message })))
    await this.#change({ options: edits.withoutShard(this.#source.options, shard) })
  }

  async addReplica(shard: string, replica: ReplicaOptions): Promise<void> {
    const names = namesIn(this.#shard(shard))
    if (replica.name !== undefined && names.includes(replica.name))
      throw refused(
        'name',
        `"${replica.name}" is the name of another server of this shard; give each its own`,
      )
    await this.#change({ options: edits.withReplica(this.#source.options, shard, replica) })
  }

  async removeReplica(shard: string, node: string): Promise<void> {
    const { replicas, ...config } = this.#shard(shard)
    const names = replicas.map(({ name }) => name)
    const index = names.indexOf(node)
    if (index < 0) throw new UnknownNodeError(shard, node, 'replica', names)
    const left = [config.primary.name, ...names.filter((name) => name !== node)]
    await this.#change(
      { options: edits.withoutReplica(this.#source.options, shard, index) },
      new Map([[shard, left]]),
    )
  }

  async updateNode(shard: string, node: string, change: NodeOptions): Promise<void> {
    const config = this.#shard(shard)
    const index = namesIn(config).indexOf(node)
    if (index < 0) throw new UnknownNodeError(shard, node, 'node', namesIn(config))
    const { engine } = config
    if (!isEngine(engine)) throw refused('', `servers of ${engine} cannot be changed`)
    checkNodeOptions(change, index === 0 ? 'primary' : 'replica', engine)
    const { options, defaults } = this.#source
    const changed = <T extends object>(of: T): T =>
      withNodeOptions(of as never, change, engine) as T
    if (index > 0)
      return this.#change({
        options: edits.withReplicaChanged(options, shard, index - 1, changed),
      })
    if (shard !== this.#runtime.store.current.defaultShard)
      return this.#change({ options: edits.withPrimary(options, shard, changed) })
    if ('replication' in this.#runtime.front.options)
      throw refused('dataSource.replication', 'is TypeORM’s own; its servers cannot be changed')
    return this.#change({ defaults: changed(defaults) })
  }

  #shard(name: string): ResolvedShard {
    const { shards } = this.#runtime.config
    const shard = shards.find((candidate) => candidate.name === name)
    if (shard !== undefined) return shard
    throw new UnknownShardError(
      name,
      shards.map((known) => known.name),
    )
  }

  /** Servers keep the names they have, in the order of their lists. */
  #names(changed: KeptNames): KeptNames {
    const { shards } = this.#runtime.config
    return new Map(shards.map((shard) => [shard.name, changed.get(shard.name) ?? namesIn(shard)]))
  }

  // Everything up to the drain is done without a pause: nobody sees half a change, and two of them
  // cannot mix.
  async #change(edit: Partial<Source>, changedNames: KeptNames = new Map()): Promise<void> {
    const runtime = this.#runtime
    const names = this.#names(changedNames)
    const source = { ...this.#source, ...edit }
    const { config, options } = resolveOptions(source.options, source.defaults, names)
    // Resolved anew: drivers have written into the options that they were given.
    const { options: formerOptions, defaults: formerDefaults } = this.#source
    const former = resolveOptions(formerOptions, formerDefaults, this.#names(new Map())).config
    const { moved, gone } = differenceOf(former, config)
    this.#check(former, config, moved)

    this.#source = { ...source, options }
    const added = config.shards.filter(({ name }) => !runtime.store.current.shards.has(name))
    const topology = topologyAfter(runtime.store.current, config, moved)
    runtime.reconfigure(config, topology, moved)
    await Promise.all([
      ...[...moved].map((id) => runtime.pools.retire(id)),
      ...gone.map((id) => runtime.pools.remove(id)),
      ...added.map((shard) => this.#connectEager(shard)),
    ])
  }

  /** @throws ConfigError if the change cannot be made while the process runs */
  #check(former: ResolvedConfig, config: ResolvedConfig, moved: ReadonlySet<string>): void {
    const { front, groups } = this.#runtime
    const present = new Map(former.shards.map((shard) => [shard.name, shard]))
    const problems: ConfigProblem[] = []
    for (const { id, engine } of serversOf(config))
      if (moved.has(id) && familyOf(engine) === 'sqlite')
        problems.push({
          path: id,
          message: `${engine} has a file and no server that could move; add another shard or replica, and remove this one`,
        })
    checkCaches({ front, config })
    if (front.isInitialized) {
      const added = config.shards.filter(({ name }) => !present.has(name))
      const others = added.filter(({ primary }) => groups.find(primary.connection) === undefined)
      const earlier = 'configure the shard before the DataSource is initialized'
      problems.push(
        ...lateEngines(
          others.map(({ engine }) => engine),
          earlier,
        ),
        ...lateSchemaWork(added, earlier),
      )
    }
    if (problems.length > 0) throw new ConfigError(problems)
  }

  async #connectEager({ name, connect }: ResolvedShard): Promise<void> {
    const runtime = this.#runtime
    if (connect !== 'eager' || !runtime.isStarted) return
    await runtime
      .shard(name)
      .ready()
      .catch((error: unknown) => {
        runtime.warn(`Shard "${name}" was added and could not be connected: ${String(error)}`)
      })
  }
}

/** Ids of the servers that are reached otherwise now, and of those that are no more. */
const differenceOf = (
  former: ResolvedConfig,
  config: ResolvedConfig,
): { moved: ReadonlySet<string>; gone: readonly string[] } => {
  const after = new Map(serversOf(config).map(({ id, connection }) => [id, connection]))
  const moved = new Set<string>()
  const gone: string[] = []
  for (const { id, connection } of serversOf(former)) {
    const now = after.get(id)
    if (now === undefined) gone.push(id)
    else if (!isDeepStrictEqual(now, connection)) moved.add(id)
  }
  return { moved, gone }
}
