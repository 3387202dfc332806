import { type Topology, withEndpointOnline } from './snapshot.js'

/** What can happen to a topology while the process runs. */
export type TopologyChange =
  | { readonly kind: 'endpoint-online'; readonly endpoint: string; readonly isOnline: boolean }
  /** Shards or servers were added, removed, or are reached otherwise. */
  | { readonly kind: 'topology'; readonly topology: Topology }

/** Holds the present snapshot; whoever reads it keeps a consistent view for as long as it needs. */
export class TopologyStore {
  #current: Topology
  readonly #subscribers = new Set<(topology: Topology, change: TopologyChange) => void>()

  constructor(initial: Topology) {
    this.#current = initial
  }

  /** The snapshot that decisions are made on now. */
  get current(): Topology {
    return this.#current
  }

  /** Replaces the snapshot and tells the subscribers. */
  apply(change: TopologyChange): void {
    this.#current =
      change.kind === 'topology'
        ? change.topology
        : withEndpointOnline(this.#current, change.endpoint, change.isOnline)
    for (const notify of this.#subscribers) notify(this.#current, change)
  }

  /** Calls `notify` after each change; returns the function that ends it. */
  subscribe(notify: (topology: Topology, change: TopologyChange) => void): () => void {
    this.#subscribers.add(notify)
    return () => {
      this.#subscribers.delete(notify)
    }
  }
}
