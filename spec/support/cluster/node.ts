import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { until } from '../until.js'
import { AdminSession, type AdminConnection, type Row } from './admin.js'
import { application, type ConnectionOptions } from './application.js'
import { freePort } from './free-port.js'
import type { NodePlace, Role } from './place.js'
import type { Account } from './run-as.js'
import { ServerProcess, type ServerCommand } from './server-process.js'
import {
  StatementLog,
  type LoggedStatement,
  type LogLineReader,
  type StatementMark,
  type StatementPause,
} from './statement-log.js'

/** One server. Replication is the cluster's business: see `Cluster`. */
export abstract class ClusterNode {
  abstract readonly engine: 'mariadb' | 'postgres'
  readonly name: string
  readonly shardIndex: number
  readonly host = '127.0.0.1'
  readonly id: number
  readonly folder: string
  readonly account: Account | undefined
  readonly logsStatements: boolean
  readonly settings: Readonly<Record<string, string | number>>
  readonly #admin: AdminSession
  #role: Role
  #port: number
  #process: ServerProcess | undefined
  #statements: StatementLog | undefined

  constructor(place: NodePlace) {
    this.name = place.name
    this.shardIndex = place.shardIndex
    this.id = place.id
    this.folder = place.folder
    this.account = place.account
    this.logsStatements = place.logsStatements
    this.settings = place.settings
    this.#role = place.role
    this.#port = place.port
    this.#admin = new AdminSession((onLost) => this.connectAdmin(onLost))
  }

  get role(): Role {
    return this.#role
  }

  get port(): number {
    return this.#port
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.end === undefined
  }

  get isPaused(): boolean {
    return this.#process?.isPaused ?? false
  }

  /** Up, and able to answer. */
  get isReachable(): boolean {
    return this.isRunning && !this.isPaused
  }

  /** The server's process and its children; none while it is down. */
  get pids(): readonly number[] {
    return this.#process?.pids ?? []
  }

  get dataFolder(): string {
    return path.join(this.folder, 'data')
  }

  get logFile(): string {
    return path.join(this.folder, 'server.log')
  }

  /** For a data source that connects to this server as the application. */
  connectionOptions(): ConnectionOptions {
    return { host: this.host, port: this.port, ...application }
  }

  /** Runs a statement with all rights; it does not count as one of the application's. */
  async sql<T extends object = Row>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    if (!this.isRunning) throw this.problem(`${this.name} is down, it cannot run: ${text}`)
    if (this.isPaused) throw this.problem(`${this.name} is paused, it cannot run: ${text}`)
    return (await this.#admin.query(text, values)) as T[] // the caller knows its own columns
  }

  /** The open connections of the application. One that was just closed may still count for a moment. */
  abstract connections(): Promise<number>

  /** A place in the statement log, for `statementsSince`. */
  mark(): StatementMark {
    return this.#statementLog().mark()
  }

  /** What the application has sent since `mark`, in the order in which the server took it up. */
  async statementsSince(
    mark: StatementMark,
    pauses: readonly StatementPause[] = [],
  ): Promise<LoggedStatement[]> {
    const log = this.#statementLog()
    if (!this.isReachable) return log.sinceWithoutServer(mark, pauses)
    return log.since(mark, (sql) => this.sql(sql), pauses)
  }

  /** Ends the server in good order: it says goodbye to its clients. */
  async stop(): Promise<void> {
    if (!this.isRunning) return
    this.resume()
    await this.#admin.close()
    await this.#process?.stop(this.stopSignal)
  }

  /** Ends it as a power cut would. */
  async kill9(): Promise<void> {
    await this.#admin.destroy()
    await this.#process?.kill9()
  }

  /** Freezes the whole server (SIGSTOP): its port still takes connections, but nobody answers. */
  async pause(): Promise<void> {
    await this.#process?.pause()
  }

  resume(): void {
    this.#process?.resume()
  }

  /**
   * Starts the server again on its port, after stopping it if it is up. A replica goes on
   * replicating; a former primary, until `Cluster.rejoin`, comes back as writable as it was.
   */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** The last lines of the server's log. */
  logTail(lines = 15): string {
    try {
      return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
    } catch {
      return '(no log yet)'
    }
  }

  /** An error that shows what the server itself has to say. */
  problem(message: string, cause?: unknown): Error {
    return new Error(`${message}\n--- log of ${this.name} ---\n${this.logTail()}`, { cause })
  }

  // ---- What follows is for the cluster. ----

  /** Starts the server and waits until it takes connections. */
  async start(): Promise<void> {
    if (this.isRunning) return
    const logStart = statSync(this.logFile, { throwIfNoEntry: false })?.size ?? 0
    const launched = (this.#process = new ServerProcess({
      ...this.command(),
      logFile: this.logFile,
      folder: this.folder,
      account: this.account,
      abandonSignal: this.abandonSignal,
    }))
    const newLog = (): string => readFileSync(this.logFile).toString('utf8', logStart)
    await until(() => launched.end ?? this.readyPattern.test(newLog()), {
      what: () => `${this.name} to take connections\n${this.logTail()}`,
      timeoutMs: 60_000,
    })
    if (launched.end === undefined) return
    if (portTaken.test(newLog()))
      throw new PortTakenError(`${this.name}: port ${this.port} is taken`)
    throw this.problem(`${this.name} ended as it started: ${launched.end}`)
  }

  /** The first start: nobody knows the port yet, so another will do when it is taken. */
  async startOnAnyPort(attempts = 5): Promise<void> {
    try {
      await this.start()
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempts <= 1) throw error
      this.#port = await freePort()
      await this.startOnAnyPort(attempts - 1)
    }
  }

  /** Ends the server for good, by the fastest way that leaves nothing behind. */
  async abandon(): Promise<void> {
    await this.#admin.destroy()
    if (this.isRunning) await this.#process?.abandon()
  }

  takeRole(role: Role): void {
    this.#role = role
  }

  /** Binary, arguments and environment; writes the configuration file if the engine has one. */
  protected abstract command(): ServerCommand
  protected abstract connectAdmin(onLost: () => void): Promise<AdminConnection>
  protected abstract readonly readyPattern: RegExp
  protected abstract readonly stopSignal: NodeJS.Signals
  protected abstract readonly abandonSignal: NodeJS.Signals
  protected abstract readonly statementLogFile: string
  protected abstract logLineReader(): LogLineReader

  /** Makes it a replica of `primary` from where its own data ends; starts it when it is down. */
  abstract follow(primary: ClusterNode): Promise<void>
  /** Ends replication after applying what was received, and takes writes. */
  abstract lead(): Promise<void>
  /** The running primary stops taking writes, and waits until `successor` has all of them. */
  abstract handOverTo(successor: ClusterNode): Promise<void>
  /** Removes what a copy of another server's data folder must not keep. */
  abstract forgetOrigin(): void
  abstract setReplicationDelay(seconds: number): Promise<void>
  abstract freezeReplication(): Promise<void>
  abstract unfreezeReplication(): Promise<void>
  abstract setReadOnly(isReadOnly: boolean): Promise<void>
  abstract createDatabase(name: string): Promise<void>
  /** How far this primary has written. */
  abstract position(): Promise<string>
  /** Waits until this replica has applied what lies before `position`. */
  abstract waitForPosition(position: string, timeoutMs: number): Promise<void>

  #statementLog(): StatementLog {
    if (!this.logsStatements) {
      throw new Error(`${this.name} keeps no statement log: its cluster has { generalLog: false }.`)
    }
    return (this.#statements ??= new StatementLog(
      this.statementLogFile,
      application.username,
      this.logLineReader(),
    ))
  }
}

class PortTakenError extends Error {}
const portTaken = /address already in use/i
