import type { ConnectionProxy } from '../index.js'
import { loadDataSourceFile } from './data-source-file.js'
import { UsageError } from './exit.js'
import type { Output } from './output.js'
import { quietLogger } from './quiet-logger.js'
import type { Surroundings } from './surroundings.js'

/** Name of the environment variable for the data source file, where `--data-source` is not given. */
export const dataSourceVariable = 'OCTOPUS_DATA_SOURCE'

/** What one command works with. */
export interface Session {
  readonly output: Output
  /** The folder that relative paths start from. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Is aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal
  /** Whether a data source file was named. */
  readonly hasDataSource: boolean
  /** Whether somebody is there to answer `confirm`. */
  readonly isInteractive: boolean
  /** Asks whether to go on; SIGINT and SIGTERM are no. */
  confirm(question: string): Promise<boolean>
  /**
   * The data source, not initialised: for commands that need its configuration only.
   *
   * @throws UsageError if none was named, or the file has no wrapped data source
   */
  loadDataSource(): Promise<ConnectionProxy>
  /**
   * The data source with its entities' metadata, but without a connection to any server.
   *
   * @throws UsageError as `loadDataSource`, and TypeORM's error where entities contradict each other
   */
  describeDataSource(): Promise<ConnectionProxy>
  /**
   * The data source, initialised, without the schema work and the log that its options may ask for. It
   * is destroyed at the command's end.
   *
   * @throws UsageError as `loadDataSource`, and what `initialize()` throws
   */
  openDataSource(): Promise<ConnectionProxy>
}

/** Starting must not change a schema. */
const noSchemaWork = { synchronize: false, dropSchema: false, migrationsRun: false } as const

/** What `initialize()` calls once it has connected. TypeORM declares it for its own classes only. */
interface Described {
  buildMetadatas(): Promise<void>
}

/** One command at work. */
export class CommandSession implements Session {
  readonly output: Output
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  readonly isInteractive: boolean
  readonly #surroundings: Surroundings
  readonly #file: string | undefined
  #loading: Promise<ConnectionProxy> | undefined
  #opening: Promise<ConnectionProxy> | undefined

  constructor(
    surroundings: Surroundings,
    output: Output,
    signal: AbortSignal,
    dataSourceFile: string | undefined,
  ) {
    const { cwd, env, isInteractive } = surroundings
    this.output = output
    this.cwd = cwd
    this.env = env
    this.signal = signal
    this.isInteractive = isInteractive
    this.#surroundings = surroundings
    this.#file = dataSourceFile ?? (env[dataSourceVariable] || undefined)
  }

  get hasDataSource(): boolean {
    return this.#file !== undefined
  }

  async confirm(question: string): Promise<boolean> {
    this.output.makeWay()
    const answer = await this.#surroundings.ask(`${question} [y/N] `, this.signal)
    return answer !== undefined && /^\s*y(?:es)?\s*$/i.test(answer)
  }

  loadDataSource(): Promise<ConnectionProxy> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  async describeDataSource(): Promise<ConnectionProxy> {
    const db = await this.loadDataSource()
    if (!db.isInitialized) await (db as unknown as Described).buildMetadatas()
    return db
  }

  openDataSource(): Promise<ConnectionProxy> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  /** Ends what was begun. */
  async close(): Promise<void> {
    this.output.close()
    const db = await this.#loading?.catch(() => undefined)
    // Who interrupts waits neither for a server that is silent, nor for the statements that still run.
    if (!this.signal.aborted) await this.#opening?.catch(() => undefined)
    if (db?.isInitialized !== true) return
    if (this.signal.aborted) await db.octopus.disconnectAll({ timeoutMs: 0 })
    await db.destroy()
  }

  async #load(): Promise<ConnectionProxy> {
    if (this.#file === undefined)
      throw new UsageError(
        `no data source: name the file that exports it, by --data-source <file> or by the environment variable ${dataSourceVariable}.`,
      )
    const db = await loadDataSourceFile(this.#file, this.cwd)
    // A log would stand between the lines of the result.
    const logger = quietLogger((message) => this.output.warn(message))
    db.setOptions({ ...noSchemaWork, logger, logging: false })
    return db
  }

  async #open(): Promise<ConnectionProxy> {
    const db = await this.loadDataSource()
    if (!db.isInitialized) await db.initialize()
    return db
  }
}
