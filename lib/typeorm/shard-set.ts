import type { ResolvedConfig, ResolvedShard } from '../config/resolved.js'
import type { Runtime } from './runtime.js'
import { Shard } from './shard.js'

/** The shards of one data source, which come and go. */
export class ShardSet {
  readonly #runtime: Runtime
  readonly #shards = new Map<string, Shard>()
  /** Those that were removed, as long as somebody holds on to them: entities may be at home there. */
  readonly #removed = new Map<string, WeakRef<Shard>>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    for (const shard of runtime.config.shards) this.#shards.set(shard.name, this.#made(shard))
  }

  #made(config: ResolvedShard): Shard {
    const group = this.#runtime.groups.of(config.primary.connection)
    return new Shard(this.#runtime, config, group)
  }

  get all(): Iterable<Shard> {
    return this.#shards.values()
  }

  get(name: string): Shard | undefined {
    return this.#shards.get(name)
  }

  /**
   * Goes over to a changed configuration. A shard that was removed and comes back is the same, so that
   * handles and the homes of entities hold.
   *
   * @param moved - ids of the servers that are reached otherwise than before
   */
  follow(config: ResolvedConfig, moved: ReadonlySet<string>): void {
    const former = new Map(this.#shards)
    this.#shards.clear()
    for (const shard of config.shards) {
      const present = former.get(shard.name) ?? this.#returning(shard)
      const isMoved = (id: string): boolean => moved.has(id) || !former.has(shard.name)
      present?.reconfigure(shard, isMoved)
      this.#shards.set(shard.name, present ?? this.#made(shard))
      former.delete(shard.name)
    }
    for (const [name, shard] of former) {
      shard.drivers.leave()
      this.#removed.set(name, new WeakRef(shard))
    }
  }

  #returning({ name, primary }: ResolvedShard): Shard | undefined {
    const shard = this.#removed.get(name)?.deref()
    this.#removed.delete(name)
    return shard?.group === this.#runtime.groups.find(primary.connection) ? shard : undefined
  }
}
