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

const resultOf = (sql: string): object => {
  if (/^SELECT version\b/i.test(sql)) return [{ version: '10.11.19-MariaDB' }]
  return sql.startsWith('SELECT') ? rowsOf(sql) : { insertId: 7, affectedRows: 1 }
}

const resultOfOwn = (sql: string, rows: RowsOf): object => {
  if (/^SELECT version\b/i.test(sql)) return [{ version: '10.11.19-MariaDB' }]
  return sql.startsWith('SELECT') ? rows(sql) : { insertId: 7, affectedRows: 1 }
}

type GiveConnection = (error: null, connection: NullConnection) => void

class NullConnection {
  readonly #release: (connection: NullConnection) => void

  constructor(release: (connection: NullConnection) => void) {
    this.#release = release
  }

  promise() {
    return answering
  }

  release(): void {
    this.#release(this)
  }

  /** TypeORM listens for errors once. */
  listeners(): readonly unknown[] {
    return [answering]
  }

  on(): void {}
}

class NullPool {
  readonly #free: NullConnection[]
  readonly #waiting: GiveConnection[] = []

  constructor(limit: number) {
    const release = (connection: NullConnection): void => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free.push(connection)
      else process.nextTick(next, null, connection)
    }
    this.#free = Array.from({ length: limit }, () => new NullConnection(release))
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

const createPool = ({ connectionLimit = 10 }: PoolOptions): NullPool =>
  new NullPool(connectionLimit)

class NullPoolCluster {
  readonly #pools = new Map<string, NullPool>()
  #turn = 0

  add(id: string, options: PoolOptions): void {
    this.#pools.set(id, createPool(options))
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
export const nullDriver = () => ({ createPool, createPoolCluster: () => new NullPoolCluster() })
