import { statementKeyword } from '../trace/event.js'

/** A statement that succeeded while a migration ran. */
export interface MigrationStatement {
  readonly shard: string
  readonly sql: string
  readonly inTransaction: boolean
  /** Whether it ended whatever transaction was open, as a change of the schema does in MySQL. */
  readonly commits: boolean
  /** What tells its connection from others: statements of one runner share a transaction. */
  readonly connection: string
}

/** What a migration did on one shard: how often what was sent. */
export interface ShardEffects {
  readonly shard: string
  readonly statements: number
}

/** What a failed migration leaves behind on one shard. */
export interface LeftBehind {
  readonly shard: string
  /** What took effect and was not rolled back, such as `CREATE TABLE visits` or `INSERT × 3`. */
  readonly statements: readonly string[]
}

const reads = new Set(['SELECT', 'SHOW', 'EXPLAIN', 'DESCRIBE', 'PRAGMA', 'VALUES', 'SET', 'USE'])

const definition =
  /^\s*((?:create|alter|drop|rename|truncate)\b[a-z\s]*?\b(?:table|view|index|column|database|schema|sequence|function|procedure|trigger|type|extension))\s+(?:concurrently\s+)?(?:if\s+(?:not\s+)?exists\s+)?([\w$.`"-]+)/i

/** Whether a statement changes the schema. */
export const isDefinition = (sql: string): boolean =>
  /^(?:CREATE|ALTER|DROP|RENAME|TRUNCATE)$/.test(statementKeyword(sql))

/** A statement in few words and without values: any of them may be a secret. */
export const inFewWords = (sql: string): string => {
  const [, words, name] = definition.exec(sql) ?? []
  if (words === undefined || name === undefined) return statementKeyword(sql)
  return `${words.trim().replaceAll(/\s+/g, ' ').toUpperCase()} ${name.replaceAll(/[`"]/g, '')}`
}

type Counts = Map<string, number>

const add = (counts: Counts, words: string, times = 1): void => {
  counts.set(words, (counts.get(words) ?? 0) + times)
}

/** What one connection did: what is certain, and what its open transaction may still undo. */
class ConnectionEffects {
  readonly kept: Counts = new Map()
  #open: Counts = new Map()
  /** After a statement that commits, nothing is open in the server, whatever the client believes. */
  #isAutocommitting = false

  note({ sql, inTransaction, commits }: MigrationStatement): void {
    const keyword = statementKeyword(sql)
    if (keyword === 'COMMIT' || commits) this.#keep()
    if (keyword === 'ROLLBACK' && !/^\s*rollback\s+to\b/i.test(sql)) this.#open = new Map()
    if (keyword === 'START' || keyword === 'BEGIN') this.#isAutocommitting = false
    if (commits) this.#isAutocommitting = true
    if (reads.has(keyword) || framing.has(keyword)) return
    const isUndoable = inTransaction && !commits && !this.#isAutocommitting
    add(isUndoable ? this.#open : this.kept, inFewWords(sql))
  }

  #keep(): void {
    for (const [words, times] of this.#open) add(this.kept, words, times)
    this.#open = new Map()
  }
}

const framing = new Set(['COMMIT', 'ROLLBACK', 'START', 'BEGIN', 'SAVEPOINT', 'RELEASE'])

/** What a migration has done so far, by shard. Remembers words and numbers, no statements. */
export class MigrationEffects {
  readonly #statements = new Map<string, number>()
  readonly #connections = new Map<string, { shard: string; effects: ConnectionEffects }>()

  note(statement: MigrationStatement): void {
    const { shard, connection } = statement
    this.#statements.set(shard, (this.#statements.get(shard) ?? 0) + 1)
    let known = this.#connections.get(connection)
    if (known === undefined)
      this.#connections.set(connection, (known = { shard, effects: new ConnectionEffects() }))
    known.effects.note(statement)
  }

  /** How much was sent to which shard. */
  get byShard(): readonly ShardEffects[] {
    return [...this.#statements].map(([shard, statements]) => ({ shard, statements }))
  }

  /** What stays where the transactions that are open are rolled back. */
  get leftBehind(): readonly LeftBehind[] {
    const byShard = new Map<string, string[]>()
    for (const { shard, effects } of this.#connections.values())
      for (const [words, times] of effects.kept)
        byShard.set(shard, [
          ...(byShard.get(shard) ?? []),
          times === 1 ? words : `${words} × ${times}`,
        ])
    return [...byShard].map(([shard, statements]) => ({ shard, statements }))
  }
}
