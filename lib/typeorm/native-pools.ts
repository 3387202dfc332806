/** The public parts of mysql2 and pg that are used here. `contract/drivers.spec.ts` holds them. */

/** A socket, as far as it is needed here. */
export interface Socket {
  destroy(error?: Error): void
  once(event: 'close', listener: () => void): unknown
}

/** How both drivers answer. */
export type Callback<T> = (error: Error | null | undefined, value: T) => void
/** The rows of a statement. */
export type Rows = readonly Record<string, unknown>[]

/** A connection of mysql2. */
export interface MysqlConnection {
  readonly stream?: Socket
  readonly threadId?: number | null
  ping?(callback: Callback<unknown>): void
  query(options: object, callback: Callback<Rows>): void
  connect(callback: Callback<unknown>): void
  on(event: 'error', listener: (error: Error) => void): unknown
  release?(): void
  destroy(): void
}

/** A pool of mysql2. */
export interface MysqlPool {
  getConnection(callback: Callback<MysqlConnection>): void
  on(event: 'connection', listener: (connection: MysqlConnection) => void): unknown
  end(callback: Callback<unknown>): void
}

/** A client of pg. */
export interface PostgresClient {
  readonly connection?: { readonly stream: Socket }
  readonly processID?: number | null
  query(sql: string): Promise<{ readonly rows: Rows }>
  connect(): Promise<unknown>
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
  release?(error?: Error): void
}

/** A pool of pg. */
export interface PostgresPool {
  readonly options: object
  connect(callback: Callback<PostgresClient>): void
  on(event: 'connect', listener: (client: PostgresClient) => void): unknown
  end(callback: () => void): void
}
