import type { ClusterNode } from './node.js'

/** One primary and its replicas. Which of the nodes is which may change. */
export class ClusterShard {
  readonly index: number
  readonly nodes: readonly ClusterNode[]

  constructor(index: number, nodes: readonly ClusterNode[]) {
    this.index = index
    this.nodes = nodes
  }

  get name(): string {
    return `s${this.index}`
  }

  get primary(): ClusterNode {
    const found = this.nodes.find((node) => node.role === 'primary')
    if (!found) throw new Error(`Shard ${this.name} has no primary.`)
    return found
  }

  get replicas(): readonly ClusterNode[] {
    return this.nodes.filter((node) => node.role === 'replica')
  }

  /** The replica of this number, from 1 as in its name. */
  replica(number = 1): ClusterNode {
    const found = this.replicas[number - 1]
    if (found) return found
    throw new Error(`Shard ${this.name} has ${this.replicas.length} replicas, not ${number}.`)
  }
}
