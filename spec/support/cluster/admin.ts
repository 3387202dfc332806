/** A row as the driver gives it. */
export type Row = Record<string, unknown>

/** The tool's own connection to a server: all rights, through the socket in the server's folder. */
export interface AdminConnection {
  /** The rows of the (last) statement; none for one that returns no rows. */
  query(text: string, values: readonly unknown[]): Promise<Row[]>
  close(): Promise<void>
  /** Ends it without a word to the server, which may be unable to listen. */
  destroy(): void
}

/** Opens the connection when it is first needed, and again after it was lost. */
export class AdminSession {
  readonly #open: (onLost: () => void) => Promise<AdminConnection>
  #connection: Promise<AdminConnection> | undefined

  constructor(open: (onLost: () => void) => Promise<AdminConnection>) {
    this.#open = open
  }

  async query(text: string, values: readonly unknown[]): Promise<Row[]> {
    const connection = await this.#current()
    return connection.query(text, values)
  }

  async close(): Promise<void> {
    const connection = this.#take()
    await (await connection?.catch(() => undefined))?.close().catch(() => {})
  }

  async destroy(): Promise<void> {
    const connection = this.#take()
    ;(await connection?.catch(() => undefined))?.destroy()
  }

  #current(): Promise<AdminConnection> {
    if (this.#connection) return this.#connection
    const forget = (): void => {
      if (this.#connection === opening) this.#connection = undefined
    }
    const opening = this.#open(forget)
    opening.catch(forget)
    return (this.#connection = opening)
  }

  #take(): Promise<AdminConnection> | undefined {
    const connection = this.#connection
    this.#connection = undefined
    return connection
  }
}
