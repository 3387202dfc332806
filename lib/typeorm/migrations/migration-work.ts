import type { QueryRunner } from 'typeorm'
import { type Frame, encloses, namingFrame, userFrame } from '../../context/frame.js'
import { CrossShardError, InvalidScopeError } from '../../errors.js'
import { MigrationEffects, isDefinition } from '../../migrations/effects.js'
import { framesTransaction } from '../../router/read-only-sql.js'
import { shardNamed } from '../../scopes/scopes.js'
import type { RouteRecord } from '../../trace/hub.js'
import { routed, stateOf } from '../binding.js'
import type { Shard } from '../shard.js'
import { depthOf } from '../transaction-scope.js'

/** What may begin a transaction, wherever in a text it stands; much that does not looks like it. */
const beginning = /\b(?:begin|start|autocommit|call)\b/i

/** One migration at work on one shard: what it was given, and what it did. */
export class MigrationWork {
  readonly shard: Shard
  readonly #name: string
  readonly #runner: QueryRunner
  readonly #others = new Map<string, QueryRunner>()
  readonly effects = new MigrationEffects()
  /** Whether it sent what may have begun a transaction of which TypeORM does not know. */
  mayHaveBegun = false
  #isOver = false
  /** The user's scope in which it began. */
  #frame: Frame | undefined = undefined

  constructor(shard: Shard, name: string, runner: QueryRunner) {
    this.shard = shard
    this.#name = name
    this.#runner = runner
  }

  /**
   * Runs the migration's own code in a scope of its shard, whose reads go to the primary: a replica has
   * not yet what a migration has just done.
   */
  async run(work: (runner: QueryRunner) => Promise<unknown>): Promise<void> {
    const { scopes } = this.shard.runtime
    const state = routed(this.#runner)
    const outer = scopes.current()
    this.#frame = userFrame(outer)
    const depth = depthOf(this.#runner)
    state.migration = this
    try {
      await scopes.enter(
        {
          label: `migration ${this.#name}`,
          origin: 'library',
          shard: this.shard.name,
          role: 'primary',
          collector: (record) => {
            this.#note(record)
            outer?.collector?.(record)
          },
        },
        () => work(this.#runner),
      )
      this.#checkEnded(depth)
    } finally {
      state.migration = undefined
      this.#isOver = true
      await this.#undoOpen(depth)
      await this.#releaseOthers()
    }
  }

  #note({ event, sql }: RouteRecord): void {
    const { shard, inTransaction, cached, error, kind } = event
    if (cached || error !== undefined) return
    this.mayHaveBegun ||= beginning.test(sql)
    const commits = this.shard.runtime.shard(shard).family === 'mysql' && isDefinition(sql)
    // An event does not tell its runner: what is managed and what is not are told apart.
    this.effects.note({ shard, sql, inTransaction, commits, connection: `${shard} ${kind}` })
  }

  /**
   * Looks at a statement of the given runner before it is sent.
   *
   * @throws CrossShardError in a scope of another shard that was entered inside the migration
   */
  check(sql: string, ambient: Frame | undefined): void {
    const scope = namingFrame(ambient)
    if (scope?.shard === undefined || scope.shard === this.shard.name) return
    if (framesTransaction(sql) || encloses(scope, this.#frame)) return
    throw new CrossShardError(
      `The query runner of migration ${this.#name} was used inside a scope of another shard`,
      [this.shard.name, scope.shard],
      'It is bound to the shard that is migrated; octopusOf(queryRunner).shard(name) gives one for another shard.',
    )
  }

  /** A runner of another shard's primary, the same for the same name; it is released with the migration. */
  runnerOn(name: string): QueryRunner {
    const { runtime } = this.shard
    if (this.#isOver) throw new InvalidScopeError(`Migration ${this.#name} is over; ${whereElse}`)
    if (shardNamed(runtime.store.current, name).name === this.shard.name) return this.#runner
    const known = this.#others.get(name)
    if (known !== undefined) return known
    const frame = runtime.scopes.current()
    const shard = runtime.shard(name)
    const runner = runtime.openRunner(
      shard,
      'runner',
      frame?.role === 'replica' ? undefined : frame,
      'primary runner',
      'octopusOf',
      undefined,
    )
    this.#others.set(name, runner)
    return runner
  }

  /**
   * What is open when the migration is over would be lost without a word, and its version with it. One
   * that ended the transaction around it cannot be undone with the rest.
   *
   * @param depth - how many transactions and savepoints were open on its runner when it began
   */
  #checkEnded(depth: number): void {
    const open = depthOf(this.#runner) - depth
    if (open > 0)
      throw new InvalidScopeError(
        `Migration ${this.#name} left a transaction open, which is rolled back. Commit it in the migration.`,
      )
    if (open < 0)
      throw new InvalidScopeError(
        `Migration ${this.#name} ended the transaction that it was run in. Leave that to the run, or give the migration the property transaction = false.`,
      )
    for (const [name, runner] of this.#others)
      if (runner.isTransactionActive)
        throw new InvalidScopeError(
          `Migration ${this.#name} on shard "${this.shard.name}" left a transaction open on shard "${name}", which is rolled back. Commit it in the migration.`,
        )
  }

  /** The run's own transaction is not ended by a rollback to a savepoint within it. */
  async #undoOpen(depth: number): Promise<void> {
    try {
      while (depthOf(this.#runner) > depth) await this.#runner.rollbackTransaction()
    } catch {
      // MySQL has no savepoint any more after a change of the schema; else the connection is lost. It
      // is closed with its runner, which undoes what can be undone.
    }
  }

  async #releaseOthers(): Promise<void> {
    for (const runner of this.#others.values()) {
      if (runner.isTransactionActive)
        await runner.rollbackTransaction().catch((error: unknown) => {
          // Releasing it closes its connection, which ends the transaction too.
          this.shard.runtime.warn(`A rollback beside ${this.#name} failed: ${String(error)}`)
        })
      await runner.release()
    }
  }
}

const whereElse = 'elsewhere use db.shard(name).'

/** What a migration's query runner knows of sharding. */
export interface RunnerShards {
  /** The shard that the runner is bound to. */
  readonly shardName: string
  /**
   * A query runner of another shard's primary, with its `manager`: for moving rows between shards. The
   * same for the same name, released when the migration is over. Its transaction is its own: begin and
   * commit it in the migration.
   *
   * @throws UnknownShardError if there is no such shard
   */
  shard(name: string): QueryRunner
}

/**
 * The explicit way from a migration to another shard.
 *
 * @param queryRunner - what `up` or `down` was given
 * @throws InvalidScopeError if it is no migration's, or the migration is over
 */
export const octopusOf = (queryRunner: QueryRunner): RunnerShards => {
  const work = stateOf(queryRunner)?.migration
  if (work === undefined)
    throw new InvalidScopeError(
      `octopusOf(queryRunner) takes the query runner that a migration was given, while it runs; ${whereElse}`,
    )
  return {
    shardName: work.shard.name,
    shard: (name) => work.runnerOn(name),
  }
}
