import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ConnectError } from '../../errors.js'
import { reasonOf } from '../../pool/connect-failure.js'
import { visitShards } from '../../scopes/fan-out.js'
import { type Endpoint, endpointsOf } from '../../topology/snapshot.js'
import type { Runtime } from '../runtime.js'
import type { Shard } from '../shard.js'
import { askMysql } from './ask-mysql.js'
import { askPostgres } from './ask-postgres.js'
import type { NodeFacts, NodeFailure } from './facts.js'
import type { NodeFinding, NodeLimits } from './finding.js'
import { findingsOf } from './findings.js'
import { askBeside } from './short-connection.js'

/** How `checkNodes` works. */
export interface CheckNodesOptions {
  /** Milliseconds that each server has at most. Default: 5000. */
  readonly timeoutMs?: number
  /** How many milliseconds a replica may be behind. Default: 10000. */
  readonly maxLagMs?: number
  /** By how many milliseconds a server's clock may differ from this process's. Default: 1000. */
  readonly maxClockOffsetMs?: number
  /** How many shards are asked at a time. Default: the configuration's `fanOutConcurrency`. */
  readonly concurrency?: number
  /** Is called as soon as a server has been asked. */
  readonly onNode?: (facts: NodeFacts) => void
}

/** What `checkNodes` found out. */
export interface NodesCheck {
  /** Whether no finding is an error. */
  readonly isHealthy: boolean
  /** Every server in turn, the worst of it first; one that is as it should be has one finding, `ok`. */
  readonly findings: readonly NodeFinding[]
  /** What each server told of itself, in the order of the topology. */
  readonly nodes: readonly NodeFacts[]
}

type Answer = Pick<NodeFacts, 'connectMs' | 'error' | 'isReachable' | 'server'>

const failed = (error: NodeFailure): Answer => ({
  isReachable: false,
  error,
  connectMs: undefined,
  server: undefined,
})

const unasked: Answer = {
  isReachable: true,
  error: undefined,
  connectMs: undefined,
  server: undefined,
}

/** A file that is not there would be made by opening it. */
const askFile = async (file: string | undefined): Promise<Answer> => {
  if (file === undefined || file === ':memory:') return unasked
  try {
    await access(resolve(file))
    return unasked
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const message = isMissing ? 'there is no such file yet' : String(error)
    return failed({ failure: 'unknown-database', message })
  }
}

const codeOf = (error: unknown): string =>
  error instanceof ConnectError ? error.code : String(error)

const askServer = async (shard: Shard, endpoint: Endpoint, timeoutMs: number): Promise<Answer> => {
  const ask = shard.family === 'postgres' ? askPostgres : askMysql
  try {
    const { connectMs, answer } = await askBeside(shard, endpoint, 'checkNodes', timeoutMs, ask)
    return { isReachable: true, error: undefined, connectMs, server: answer }
  } catch (error) {
    const failure = error instanceof ConnectError ? error.failure : 'other'
    // Where a name has several addresses, Node's error has no message.
    const message = (error instanceof Error && reasonOf(error)) || codeOf(error)
    return failed({ failure, message })
  }
}

const askNode = async (shard: Shard, endpoint: Endpoint, timeoutMs: number): Promise<NodeFacts> => {
  const { role, node } = endpoint
  const address = shard.addressOf(role, node)
  const isServer = shard.family === 'mysql' || shard.family === 'postgres'
  const answer = isServer
    ? await askServer(shard, endpoint, timeoutMs)
    : await askFile(shard.family === 'sqlite' ? address.database : undefined)
  return Object.freeze({ shard: shard.name, node, role, ...address, ...answer })
}

/** The servers that are used: without replicas where their work goes to the primary. */
const usedServers = (runtime: Runtime): ReadonlyMap<string, readonly Endpoint[]> => {
  const { config, store } = runtime
  const used = [...store.current.shards.values()].filter(
    ({ name }) => config.enabled || name === store.current.defaultShard,
  )
  const isWhole = config.enabled && !config.collapseReplicas
  return new Map(used.map((shard) => [shard.name, isWhole ? endpointsOf(shard) : [shard.primary]]))
}

/** Asks every server what it is, and judges what they told. */
export const checkNodes = async (
  runtime: Runtime,
  {
    timeoutMs = 5000,
    maxLagMs = 10_000,
    maxClockOffsetMs = 1000,
    concurrency = runtime.config.fanOutConcurrency,
    onNode = () => undefined,
  }: CheckNodesOptions,
): Promise<NodesCheck> => {
  const servers = usedServers(runtime)
  const ask = async (name: string, endpoint: Endpoint): Promise<NodeFacts> => {
    const facts = await askNode(runtime.shard(name), endpoint, timeoutMs)
    onNode(facts)
    return facts
  }
  const outcomes = await visitShards([...servers.keys()], concurrency, async (name) => {
    const [primary, ...replicas] = servers.get(name) ?? []
    const copies = await Promise.all(replicas.map((replica) => ask(name, replica)))
    // After its replicas: what they had received it has written by then.
    return primary === undefined ? copies : [await ask(name, primary), ...copies]
  })
  const nodes = outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
  const limits: NodeLimits = { maxLagMs, maxClockOffsetMs }
  const findings = nodes.flatMap((shard) => findingsOf(shard, limits))
  return Object.freeze({
    isHealthy: findings.every(({ level }) => level !== 'error'),
    findings: Object.freeze(findings),
    nodes: Object.freeze(nodes.flat()),
  })
}
