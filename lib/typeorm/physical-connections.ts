import type { PhysicalConnection } from '../pool/lease.js'
import { sendOwn } from './raw-statements.js'
import type { MysqlConnection, PostgresClient, Rows, Socket } from './native-pools.js'

/** A connection and what its pool notes about it; the engines close and verify it in their ways. */
export abstract class Physical implements PhysicalConnection {
  epoch: number | undefined = undefined
  usedAt = 0
  expiresAt = Number.POSITIVE_INFINITY
  /** What the library's own statements on it are for, for the trace. */
  purpose = 'verify'
  protected readonly isPooled: boolean
  readonly #socket: Socket | undefined
  readonly #gone: () => void
  #isOpen = true
  #hasSocket: boolean

  /** @param gone - is called once, when the connection is closed */
  constructor(socket: Socket | undefined, isPooled: boolean, gone: () => void) {
    this.isPooled = isPooled
    this.#socket = socket
    this.#hasSocket = socket !== undefined
    this.#gone = gone
    socket?.once('close', () => {
      this.#hasSocket = false
      this.#leave()
    })
  }

  abstract readonly connection: unknown
  abstract readonly id: number | undefined
  abstract readonly engine: 'mysql' | 'postgres'
  abstract ping(): Promise<unknown>
  abstract query(sql: string): Promise<Rows>
  protected abstract putBack(): void
  protected abstract cut(interrupts: boolean): void

  giveBack(): void {
    if (!this.#isOpen) return
    if (this.isPooled) this.putBack()
    else this.close()
  }

  close(interrupts = false): void {
    if (!this.#isOpen) return
    this.#leave()
    this.cut(interrupts)
  }

  async closed(): Promise<void> {
    // Not the socket's own word: it calls itself closed before it is.
    if (!this.#hasSocket) return
    await new Promise<void>((resolve) => this.#socket?.once('close', resolve))
  }

  /** Closes its socket, for a pool that has been closed: the driver's does not take it back. */
  abort(): void {
    this.#leave()
    this.#socket?.destroy()
  }

  #leave(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#gone()
  }
}

/** What mysql2 says of a connection that the server closed. */
const connectionClosed = (): Error =>
  Object.assign(new Error('Connection lost: it was closed while a statement was running.'), {
    code: 'PROTOCOL_CONNECTION_LOST',
    fatal: true,
  })

/** A connection of mysql2. */
export class MysqlPhysical extends Physical {
  override readonly engine = 'mysql'
  override readonly connection: MysqlConnection

  constructor(connection: MysqlConnection, isPooled: boolean, gone: () => void) {
    super(connection.stream, isPooled, gone)
    this.connection = connection
  }

  override get id(): number | undefined {
    return this.connection.threadId ?? undefined
  }

  override ping(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.connection.ping?.((error) => (error ? reject(error) : resolve(undefined)))
    })
  }

  override query(sql: string): Promise<Rows> {
    // Not as the application has set it: its own type casts, nested tables and row arrays.
    const options = { sql, typeCast: true, rowsAsArray: false, nestTables: false }
    return new Promise((resolve, reject) => {
      sendOwn(this.connection, this.purpose, () =>
        this.connection.query(options, (error, rows) => (error ? reject(error) : resolve(rows))),
      )
    })
  }

  protected override putBack(): void {
    this.connection.release?.()
  }

  protected override cut(interrupts: boolean): void {
    this.connection.destroy()
    // mysql2 only says goodbye, and keeps the socket while the server does not answer. Once told to close
    // it does not end statements that wait for their answer, but for an error of the socket.
    this.connection.stream?.destroy(interrupts ? connectionClosed() : undefined)
  }
}

/** A client of pg. */
export class PostgresPhysical extends Physical {
  override readonly engine = 'postgres'
  override readonly connection: PostgresClient

  constructor(client: PostgresClient, isPooled: boolean, gone: () => void) {
    super(client.connection?.stream, isPooled, gone)
    this.connection = client
    // While it is verified nobody else listens, and what nobody hears ends the process. The error
    // shows in the query under way, or in the next.
    client.on('error', () => undefined)
  }

  override get id(): number | undefined {
    return this.connection.processID ?? undefined
  }

  override ping(): Promise<unknown> {
    return sendOwn(this.connection, this.purpose, () => this.connection.query('SELECT 1'))
  }

  override async query(sql: string): Promise<Rows> {
    const { connection, purpose } = this
    return (await sendOwn(connection, purpose, () => connection.query(sql))).rows
  }

  protected override putBack(): void {
    this.connection.release?.()
  }

  protected override cut(): void {
    if (this.isPooled) this.connection.release?.(new Error('The connection is not used any more'))
    else this.connection.end().catch(() => undefined)
    // pg only says goodbye, and keeps the socket while the server does not answer.
    this.connection.connection?.stream.destroy()
  }
}
