import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { copyFolder, temporaryFolder, type TemporaryFolder } from './folders.js'
import { freePort } from './free-port.js'
import type { ClusterNode } from './node.js'
import type { NodePlace, Role } from './place.js'
import { giveTo, type Account } from './run-as.js'
import { ClusterShard } from './shard.js'

export interface ClusterOptions {
  /** One by default. */
  readonly shards?: number
  /** Replicas of each shard's primary; one by default. */
  readonly replicas?: number
  /** Whether servers log every statement, for counting them; true by default. */
  readonly generalLog?: boolean
  /** More settings for every server, in its own words (`{ max_connections: 20 }`). */
  readonly settings?: Readonly<Record<string, string | number>>
}

/** What a cluster needs to know of a database system. */
export interface ClusterEngine {
  readonly name: 'mariadb' | 'postgres'
  readonly account: Account | undefined
  /** A data folder to start from. */
  template(): Promise<string>
  createNode(place: NodePlace): ClusterNode
}

/** Real servers on loopback, in a folder of their own: shards of one primary and its replicas. */
export class Cluster {
  readonly engine: ClusterEngine['name']
  readonly shards: readonly ClusterShard[]
  readonly #folder: TemporaryFolder

  private constructor(engine: ClusterEngine, folder: TemporaryFolder, shards: ClusterShard[]) {
    this.engine = engine.name
    this.#folder = folder
    this.shards = shards
  }

  /** Starts all servers, and returns when every replica follows its primary. */
  static async start(engine: ClusterEngine, options: ClusterOptions = {}): Promise<Cluster> {
    const { shards = 1, replicas = 1 } = options
    const template = await engine.template()
    const folder = temporaryFolder(engine.name, shards * (1 + replicas), engine.account)
    const cluster = new Cluster(engine, folder, await layOut(engine, folder.path, options))
    try {
      await Promise.all(cluster.nodes.map((node) => copyFolder(template, node.dataFolder)))
      await Promise.all(cluster.nodes.map((node) => node.startOnAnyPort()))
      await Promise.all(
        cluster.shards.map((shard) =>
          Promise.all(shard.replicas.map((r) => r.follow(shard.primary))),
        ),
      )
    } catch (error) {
      await cluster.stop()
      throw error
    }
    return cluster
  }

  get nodes(): readonly ClusterNode[] {
    return this.shards.flatMap((shard) => shard.nodes)
  }

  get folder(): string {
    return this.#folder.path
  }

  /** By name: `s0p` is the first primary of shard 0, `s0r1` its first replica. */
  node(name: string): ClusterNode {
    const found = this.nodes.find((node) => node.name === name)
    if (found) return found
    const names = this.nodes.map((node) => node.name).join(', ')
    throw new Error(`No node ${name} in this cluster; it has ${names}.`)
  }

  shard(index: number): ClusterShard {
    const found = this.shards[index]
    if (found) return found
    throw new Error(`No shard ${index} in this cluster; it has ${this.shards.length}, from 0.`)
  }

  shardOf(node: ClusterNode): ClusterShard {
    const found = this.shards.find((shard) => shard.nodes.includes(node))
    if (!found) throw new Error(`${node.name} belongs to another cluster.`)
    return found
  }

  /** Lets a replica apply every change so many whole seconds late; 0 ends that. */
  setReplicationDelay(replica: ClusterNode, seconds: number): Promise<void> {
    return replica.setReplicationDelay(seconds)
  }

  /** A replica stops applying changes: it is stale until unfrozen (or restarted). */
  freezeReplication(replica: ClusterNode): Promise<void> {
    return replica.freezeReplication()
  }

  unfreezeReplication(replica: ClusterNode): Promise<void> {
    return replica.unfreezeReplication()
  }

  /** Makes a server refuse the application's writes, or take them again. */
  setReadOnly(node: ClusterNode, isReadOnly: boolean): Promise<void> {
    return node.setReadOnly(isReadOnly)
  }

  /** Waits until a replica, or all replicas of a shard that can answer, have what the primary has now. */
  async waitUntilCaughtUp(target: ClusterNode | ClusterShard, timeoutMs = 10_000): Promise<void> {
    const shard = target instanceof ClusterShard ? target : this.shardOf(target)
    const position = await shard.primary.position()
    const reachable = shard.replicas.filter((replica) => replica.isReachable)
    const waiting = target === shard ? reachable : shard.replicas.filter((node) => node === target)
    await Promise.all(waiting.map((replica) => replica.waitForPosition(position, timeoutMs)))
  }

  /**
   * Makes a replica the primary of its shard; the other replicas follow it. A primary that can
   * answer hands over without losing a write, and becomes a replica. One that is down or paused
   * stays as it is, and takes itself for the primary when it comes back, until `rejoin`.
   */
  async promote(replica: ClusterNode): Promise<void> {
    const shard = this.shardOf(replica)
    const former = shard.primary
    if (former === replica) return
    const isPlanned = former.isReachable
    if (isPlanned) await former.handOverTo(replica)
    await replica.lead()
    former.takeRole('replica')
    replica.takeRole('primary')
    // A PostgreSQL primary is down after handing over: following starts it again.
    const followers = shard.replicas.filter((node) =>
      node === former ? isPlanned : node.isReachable,
    )
    await Promise.all(followers.map((node) => node.follow(replica)))
  }

  /**
   * Makes a server a replica of its shard's present primary, whatever it went through: its data are
   * replaced by a copy of the primary's, which is paused for that (some 0.1 s).
   */
  async rejoin(node: ClusterNode): Promise<void> {
    const { primary } = this.shardOf(node)
    if (node === primary)
      throw new Error(`${node.name} is the primary, there is nothing to rejoin.`)
    await node.stop()
    await rm(node.dataFolder, { recursive: true, force: true })
    await primary.pause() // nothing moves, so the copy is what a power cut would leave: a server can start from it
    await copyFolder(primary.dataFolder, node.dataFolder).finally(() => primary.resume())
    node.forgetOrigin()
    await node.follow(primary)
  }

  /** An empty database for the application on every server of a shard. */
  async createDatabase(shard: ClusterShard, name: string): Promise<void> {
    await shard.primary.createDatabase(name)
    await this.waitUntilCaughtUp(shard)
  }

  /** Ends all servers, whatever state they are in, and removes their files. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.abandon()))
    this.#folder.remove()
  }
}

async function layOut(
  engine: ClusterEngine,
  folder: string,
  { shards = 1, replicas = 1, generalLog = true, settings = {} }: ClusterOptions,
): Promise<ClusterShard[]> {
  const createNode = async (shardIndex: number, index: number): Promise<ClusterNode> => {
    const role: Role = index === 0 ? 'primary' : 'replica'
    const name = `s${shardIndex}${role === 'primary' ? 'p' : `r${index}`}`
    const nodeFolder = path.join(folder, name)
    mkdirSync(nodeFolder)
    giveTo(engine.account, nodeFolder)
    return engine.createNode({
      name,
      shardIndex,
      role,
      id: shardIndex * (1 + replicas) + index + 1,
      folder: nodeFolder,
      port: await freePort(),
      account: engine.account,
      logsStatements: generalLog,
      settings,
    })
  }
  const indexes = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
  return Promise.all(
    indexes(shards).map(async (shard) => {
      const nodes = indexes(1 + replicas).map((index) => createNode(shard, index))
      return new ClusterShard(shard, await Promise.all(nodes))
    }),
  )
}
