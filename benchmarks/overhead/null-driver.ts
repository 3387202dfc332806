/**
 * A module like mysql2, for TypeORM's option `driver`, that answers from memory: what is left to
 * measure is TypeORM and what lies on top of it. Its pool lends `connectionLimit` connections and
 * lets the rest wait, as mysql2's does, because that is part of what a caller pays for.
 */
const row = {
  Item_code: 'code',
  Item_name: 'name of an item',
  Item_quantity: 5,
  Item_price: 2.5,
  Item_active: 1,
  Item_note: null,
  Item_made: new Date('2026-01-01T00:00:00Z'),
}

const rowsOf = (sql: string): object[] =>
  Array.from({ length: sql.endsWith('LIMIT 20') ? 20 : 1 }, (_, index) => ({
    ...row,
    Item_id: 1 + index,
  }))

/** The rows that a query finds. */
export type RowsOf = (sql: string) => readonly object[]

const resultOf = (sql: string, rows: RowsOf): object => {
  if (/^SELECT version\b/i.test(sql)) return [{ version: '10.11.19-MariaDB' }]
  return sql.startsWith('SELECT') ? rows(sql) : { insertId: 7, affectedRows: 1 }
}

/** What takes the queries of all connections of a driver. */
interface Answering {
  query(sql: string): Promise<unknown>
}

type GiveConnection = (error: null, connection: NullConnection) => void

class NullConnection {
  readonly #answering: Answering
  readonly #release: (connection: NullConnection) => void

  constructor(answering: Answering, release: (connection: NullConnection) => void) {
    this.#answering = answering
    this.#release = release
  }

  promise(): Answering {
    return this.#answering
  }

  release(): void {
    this.#release(this)
  }

  /** TypeORM listens for errors once. */
  listeners(): readonly unknown[] {
    return [this.#answering]
  }

  on(): void {}
}

class NullPool {
  readonly #free: NullConnection[]
  readonly #waiting: GiveConnection[] = []

  constructor(answering: Answering, limit: number) {
    const release = (connection: NullConnection): void => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free.push(connection)
      else process.nextTick(next, null, connection)
    }
    this.#free = Array.from({ length: limit }, () => new NullConnection(answering, release))
  }

  getConnection(give: GiveConnection): void {
    const connection = this.#free.pop()
    if (connection === undefined) this.#waiting.push(give)
    else process.nextTick(give, null, connection)
  }

  on(): void {}

  end(done: () => void): void {
    done()
  }
}

interface PoolOptions {
  readonly connectionLimit?: number
}

type CreatePool = (options: PoolOptions) => NullPool

class NullPoolCluster {
  readonly #pools = new Map<string, NullPool>()
  readonly #createPool: CreatePool
  #turn = 0

  constructor(createPool: CreatePool) {
    this.#createPool = createPool
  }

  add(id: string, options: PoolOptions): void {
    this.#pools.set(id, this.#createPool(options))
  }

  getConnection(pattern: string, give: GiveConnection): void {
    const prefix = pattern.replace('*', '')
    const ids = [...this.#pools.keys()].filter((id) => id.startsWith(prefix))
    const id = ids[this.#turn++ % ids.length] ?? pattern
    this.#pools.get(id)?.getConnection(give)
  }

  on(): void {}

  end(done: () => void): void {
    done()
  }
}

/** A new driver module. */
export const nullDriver = (rows: RowsOf = rowsOf) => {
  const answering = { query: (sql: string) => Promise.resolve([resultOf(sql, rows), []]) }
  const createPool: CreatePool = ({ connectionLimit = 10 }) =>
    new NullPool(answering, connectionLimit)
  return { createPool, createPoolCluster: () => new NullPoolCluster(createPool) }
}
