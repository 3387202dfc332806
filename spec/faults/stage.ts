import { DataSource, type DataSourceOptions } from 'typeorm'
import { type ConnectionProxy, type OctopusOptions, octopus } from '../../lib/index.js'
import {
  type Call,
  type CallFacts,
  CallLog,
  errorsOf,
  longestOf,
} from '../support/faults/call-log.js'
import { Callers, type Job } from '../support/faults/callers.js'
import { until } from '../support/until.js'
import { Entry } from './entry.js'
import { allJobs } from './jobs.js'
import { type Marks, ServerLogs, type Traffic } from './server-logs.js'
import type { Engine, FaultWorld, ServerName } from './world.js'

/** How long things may take in the matrix. */
export const limits = {
  acquireTimeoutMs: 2000,
  queryTimeoutMs: 1000,
  verifyTimeoutMs: 300,
  connectTimeoutMs: 1500,
} as const

/** What a fault sets otherwise. */
export interface StageSettings {
  readonly south?: object
  readonly octopus?: object
}

/** What a fault did, by the callers' log and the servers' logs. */
export interface Figures {
  readonly heldMs: number
  readonly errors: Readonly<Record<string, number>>
  readonly traffic: Readonly<Partial<Record<ServerName, Traffic>>>
  /** From the end of the fault until all callers succeed. */
  readonly recoveryMs: number | undefined
  /** From the end of the fault until the server is used again. */
  readonly returnMs: number | undefined
  readonly writesOnReplica: number
  readonly wrongShard: number
  readonly connectionsLeft: number
}

interface Moment {
  readonly time: number
  readonly marks: Marks
}

/** One fault: a data source of its own, callers, and what was seen of them. */
export class Stage {
  readonly world: FaultWorld
  readonly log = new CallLog()
  readonly #logs: ServerLogs
  readonly #begin: Moment
  #db: ConnectionProxy | undefined
  #callers: Callers | undefined
  #fault: Moment | undefined
  #healed: Moment | undefined
  #promotion: { readonly name: ServerName; readonly at: Marks } | undefined
  #recoveryMs: number | undefined
  #returnMs: number | undefined

  constructor(world: FaultWorld) {
    this.world = world
    this.#logs = new ServerLogs(world)
    this.#begin = this.#now()
  }

  get engine(): Engine {
    return this.world.engine
  }

  get db(): ConnectionProxy {
    if (this.#db === undefined) throw new Error('Nothing is open on this stage.')
    return this.#db
  }

  /** Makes the data source, without connecting. */
  make({ south, octopus: settings }: StageSettings = {}): ConnectionProxy {
    const { engine, world } = this
    const { acquireTimeoutMs, queryTimeoutMs, verifyTimeoutMs, connectTimeoutMs } = limits
    const timeout =
      engine === 'mariadb'
        ? { connectTimeout: connectTimeoutMs }
        : { connectTimeoutMS: connectTimeoutMs }
    const source = new DataSource({
      type: engine,
      ...world.servers.north.node.connectionOptions(),
      ...world.connection('north'),
      ...timeout,
      poolSize: 10,
      entities: [Entry],
    } as DataSourceOptions)
    const replica = (name: 'north-1' | 'north-2') => ({ name, ...world.connection(name) })
    this.#db = octopus(source, {
      defaultShard: 'north',
      acquireTimeoutMs,
      queryTimeoutMs,
      verifyTimeoutMs,
      replicas: [replica('north-1'), replica('north-2')],
      shards: { south: { ...world.connection('south'), ...south } },
      ...settings,
    } as OctopusOptions)
    return this.#db
  }

  async open(settings: StageSettings = {}): Promise<ConnectionProxy> {
    return this.make(settings).initialize()
  }

  /** Opens, and sets callers to work. */
  async work(settings: StageSettings = {}, jobs: JobsOf = allJobs): Promise<Callers> {
    this.#callers = new Callers(this.log, jobs(await this.open(settings)))
    this.#callers.start()
    return this.#callers
  }

  /** The same, and waits until each caller is well. */
  async load(settings: StageSettings = {}, jobs: JobsOf = allJobs): Promise<void> {
    const time = performance.now()
    await (await this.work(settings, jobs)).wellAgain(time)
  }

  /** Lets the callers rest, so that all connections are idle. */
  async rest(): Promise<void> {
    await this.#callers?.stop()
    const isLent = () => this.db.octopus.pools().some(({ active }) => active > 0)
    await until(() => !isLent(), { what: 'all connections to be idle' })
  }

  wake(): void {
    this.#callers?.start()
  }

  /** The calls that failed, since the fault and before. */
  get failed(): readonly Call[] {
    return this.log.calls.filter(({ error }) => error !== undefined)
  }

  /** A call beside those of the callers. */
  call(facts: CallFacts, work: () => Promise<unknown>): Promise<boolean> {
    return this.log.call(facts, work)
  }

  /** The fault comes. */
  async inject(work: () => unknown): Promise<void> {
    this.#fault = this.#now()
    await work()
  }

  /** Lasts until each caller has ended so many calls since the fault. */
  async lasts(each = 2): Promise<void> {
    await this.#callers?.done(each, this.#faultTime)
  }

  /** The fault goes. Waits until all callers succeed, and until `server` is read from again. */
  async heal(work: () => unknown, server?: ServerName): Promise<void> {
    await work()
    const healed = (this.#healed = this.#now())
    if (this.#callers !== undefined)
      this.#recoveryMs = (await this.#callers.wellAgain(healed.time)) - healed.time
    if (server === undefined) return
    const isUsed = async () => (await this.#logs.traffic(server, { from: healed.marks })).reads > 0
    await until(isUsed, {
      what: `${server} to be read from again`,
      timeoutMs: 8000,
      intervalMs: 20,
    })
    this.#returnMs = performance.now() - healed.time
  }

  /** Measures how long it takes after the fault until a piece of work has succeeded. */
  async recovers(work: () => Promise<unknown>): Promise<void> {
    await work()
    this.#recoveryMs = performance.now() - (this.#healed?.time ?? Number.NaN)
  }

  /** From now on a replica is the primary of its shard. */
  promoted(name: ServerName): void {
    this.#promotion = { name, at: this.#logs.mark() }
  }

  /** Waits until a server is busy with a statement that has these words. */
  async isAt(name: ServerName, words: string): Promise<void> {
    const hasWords = async () =>
      (await this.#logs.statements(name, { from: this.#begin.marks })).some((sql) =>
        sql.includes(words),
      )
    await until(hasWords, { what: `${name} to be at ${words}` })
  }

  /** What callers have sent to a server since the fault. */
  trafficSinceFault(name: ServerName): Promise<Traffic> {
    return this.#logs.traffic(name, { from: this.#faultMarks })
  }

  /** Ends all, and counts. */
  async figures(): Promise<Figures> {
    await this.leave()
    const seen = this.log.since(this.#faultTime)
    return {
      heldMs: longestOf(seen),
      errors: errorsOf(seen),
      traffic: await this.#logs.trafficOfAll({ from: this.#faultMarks, to: this.#healed?.marks }),
      recoveryMs: this.#recoveryMs,
      returnMs: this.#returnMs,
      writesOnReplica: await this.#logs.writesOnReplicas(this.#begin.marks, this.#promotion),
      wrongShard: await this.#logs.strays(this.#begin.marks),
      connectionsLeft: await this.#logs.connectionsLeft(),
    }
  }

  /** Ends callers and data source. */
  async leave(): Promise<void> {
    await this.#callers?.stop()
    if (this.#db?.isInitialized === true) await this.#db.destroy()
  }

  get #faultTime(): number {
    return this.#fault?.time ?? Number.NaN
  }

  get #faultMarks(): Marks {
    return (this.#fault ?? this.#begin).marks
  }

  #now(): Moment {
    return { time: performance.now(), marks: this.#logs.mark() }
  }
}

type JobsOf = (db: ConnectionProxy) => readonly Job[]
