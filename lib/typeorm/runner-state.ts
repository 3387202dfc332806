import { type EntityMetadata, QueryFailedError, type QueryRunner } from 'typeorm'
import { currentFrame } from '../context/carrier.js'
import {
  type Frame,
  type WriteLedger,
  encloses,
  frameOf,
  namingFrame,
  userFrame,
} from '../context/frame.js'
import { CrossShardError, ReadOnlyScopeError } from '../errors.js'
import { failureOf } from '../pool/failure.js'
import type { Lease } from '../pool/lease.js'
import type { Route } from '../router/decide.js'
import { framesTransaction } from '../router/read-only-sql.js'
import type { Intent } from '../router/request.js'
import type { Endpoint } from '../topology/snapshot.js'
import type { RouteEventKind } from '../trace/event.js'
import type { RouteCollector } from '../trace/hub.js'
import type { RunnerInternals } from './internals.js'
import { isRefusedOnReplica, mayWrite } from './read-only-guard.js'
import type { Runtime } from './runtime.js'
import type { Shard } from './shard.js'
import { isLost, markSite, stageOf, statementError } from './statement-failures.js'
import { type StatementOutcome, routeEvent } from './trace-record.js'
import { WriteNotes } from './write-notes.js'

/** What one query runner serves: a route, and what has come of it so far. */
export interface RunnerFacts {
  readonly runtime: Runtime
  readonly shard: Shard
  readonly route: Route
  /** The scope the route was decided in. */
  readonly frame: Frame | undefined
  readonly intent: Intent
  readonly operation: string
  readonly metadata: EntityMetadata | undefined
  readonly kind: RouteEventKind
}

const startTransaction = 'START TRANSACTION'

/** What is to be done once a statement has settled. */
export interface FollowUp {
  readonly isTraced: boolean
  readonly isWrite: boolean
}

const followUps = {
  trace: { isTraced: true, isWrite: false },
  write: { isTraced: false, isWrite: true },
  both: { isTraced: true, isWrite: true },
} as const satisfies Record<string, FollowUp>

/** The routing state of one query runner. */
export class RunnerState implements RunnerFacts {
  readonly runtime: Runtime
  readonly shard: Shard
  readonly route: Route
  readonly frame: Frame | undefined
  readonly intent: Intent
  readonly operation: string
  readonly metadata: EntityMetadata | undefined
  readonly kind: RouteEventKind
  /** The lease on a server connection; SQLite has none. */
  lease: Lease | undefined = undefined
  /** The SQLite file's endpoint, chosen when the runner was made. */
  endpoint: Endpoint | undefined = undefined
  /** Whether what it writes is the library's own affair, which no read of a scope has to see. */
  isQuiet = false
  /** Whether it was given back: TypeORM does not note that of SQLite's runners, which share a connection. */
  isReleased = false
  /** How many statements were sent through it. */
  sent = 0
  /** Why PostgreSQL's runner was released by itself: its connection failed while it was held. */
  lostBy: Error | undefined = undefined
  /** Whether the statement under way is the second try of a read whose connection was lost. */
  isRetry = false
  /** Whether its rows come one by one, so that a reader may have had some. */
  isStreaming = false
  #pending = 0
  /** What was begun through this runner, and the user's scope in which it was. On SQLite a transaction
   *  beside another's is a savepoint in that. */
  #begun: 'nothing' | 'transaction' | 'savepoint' = 'nothing'
  #transactionFrame: Frame | undefined = undefined
  /** Made at the first statement that may write in a scope. */
  #writes: WriteNotes | undefined = undefined

  constructor(facts: RunnerFacts) {
    this.runtime = facts.runtime
    this.shard = facts.shard
    this.route = facts.route
    this.frame = facts.frame
    this.intent = facts.intent
    this.operation = facts.operation
    this.metadata = facts.metadata
    this.kind = facts.kind
  }

  /** Whether the library made the runner for one operation of its own. */
  get isOwn(): boolean {
    return this.kind === 'statement' && this.intent !== 'transaction'
  }

  /** The server that answers, once it is known. */
  get node(): string | undefined {
    return (this.lease?.endpoint ?? this.endpoint)?.node
  }

  /**
   * Looks whether the connection is still there. TypeORM would say only that the runner was released.
   *
   * @throws QueryFailedError with what the connection was lost by
   */
  checkHeld(sql: string, parameters: unknown[] | undefined): void {
    if (this.lostBy !== undefined)
      throw this.#located(new QueryFailedError(sql, parameters, this.lostBy), sql)
  }

  /**
   * Looks at a statement before it is sent.
   *
   * @returns the SQL to send
   * @throws CrossShardError in a scope of another shard that was entered after the transaction began
   * @throws ReadOnlyScopeError for a write inside `usingReplica`
   */
  admit(runner: QueryRunner, sql: string, ambient: Frame | undefined): string {
    if (runner.isTransactionActive) this.#checkScope(runner, sql, ambient)
    return this.route.isReadOnly ? this.#admitReading(sql) : sql
  }

  /**
   * Looks at a transaction before it is begun. Its first statement would be too late: TypeORM takes
   * the transaction for begun by then, and would roll it back on a replica.
   *
   * @throws ReadOnlyScopeError where `save` or `remove` has found something to write inside `usingReplica`
   */
  admitTransaction(): void {
    if (this.route.isReadOnly && this.intent === 'persist') throw this.#refusal()
  }

  #checkScope(runner: QueryRunner, sql: string, ambient: Frame | undefined): void {
    const scope = namingFrame(ambient)
    // Not what a user sends by hand later: it would move the transaction into his present scope.
    const isOutermost = runnerIsStarting(sql) && depthOf(runner) === 0
    if (isOutermost || (this.#begun === 'nothing' && ownSavepoint.test(sql))) {
      this.#begun = isOutermost ? 'transaction' : 'savepoint'
      this.#transactionFrame = userFrame(ambient)
      return
    }
    if (this.#begun === 'nothing' || scope?.shard === undefined || scope.shard === this.shard.name)
      return
    if (framesTransaction(sql) || encloses(scope, this.#transactionFrame)) return
    throw new CrossShardError(
      'A transaction was used inside a scope of another shard that was entered after it began',
      [this.shard.name, scope.shard],
      'Leave the scope, or use the data source there instead of the transaction’s manager.',
    )
  }

  #admitReading(sql: string): string {
    if (sql === startTransaction) return this.shard.family === 'sqlite' ? sql : `${sql} READ ONLY`
    if (isRefusedOnReplica(this.intent, sql)) throw this.#refusal()
    return sql
  }

  #refusal(): ReadOnlyScopeError {
    return new ReadOnlyScopeError(this.shard.name, this.operation)
  }

  /** The scope around the caller. Called synchronously by whoever sends a statement. */
  ambient(): Frame | undefined {
    return frameOf(this.runtime.owner, currentFrame())
  }

  /** What is to be done once the statement has settled; undefined, and nothing allocated, for most. */
  followUp(sql: string, ambient: Frame | undefined): FollowUp | undefined {
    const isTraced = this.#isTraced(ambient)
    const isWrite = this.#remembersWrites(sql, ambient)
    if (isTraced) return isWrite ? followUps.both : followUps.trace
    return isWrite ? followUps.write : undefined
  }

  #isTraced(ambient: Frame | undefined): boolean {
    return this.runtime.trace.isOn || this.#collector(ambient) !== undefined
  }

  #collector(ambient: Frame | undefined): RouteCollector | undefined {
    return ambient?.collector ?? this.frame?.collector
  }

  #remembersWrites(sql: string, ambient: Frame | undefined): boolean {
    if (this.isQuiet || (this.frame === undefined && ambient === undefined)) return false
    if (this.runtime.policy.readYourWritesMs === 0 || this.route.role === 'replica') return false
    if (this.#writes?.isPending) return true
    return this.intent !== 'read' && this.intent !== 'lock' && mayWrite(sql)
  }

  /** Notes that a statement is sent. */
  began(): void {
    this.sent += 1
    this.#pending += 1
    this.lease?.began()
  }

  /** Takes in the connection that was lent for it. */
  hold(lease: Lease): void {
    this.lease = lease
    lease.began(this.#pending)
  }

  /** Whether a read whose connection was lost may be sent once more: the first statement of the
   *  library's own runner, outside a transaction. */
  mayRetry(runner: QueryRunner): boolean {
    const isPlainRead = this.isOwn && this.intent === 'read' && !runner.isTransactionActive
    return isPlainRead && this.sent === 1 && !this.isRetry && !this.isStreaming
  }

  /**
   * Follows a statement of a server: notes what its error says of the connection, notes the write and
   * tells the trace.
   *
   * @param retry - sends it once more, where that can be done
   */
  settle<T>(
    followUp: FollowUp | undefined,
    runner: QueryRunner,
    sql: string,
    parameters: unknown,
    ambient: Frame | undefined,
    result: Promise<T>,
    retry?: () => Promise<T>,
  ): Promise<T> {
    const followed =
      followUp === undefined
        ? undefined
        : this.#follower(followUp, runner, sql, parameters, ambient)
    return result.then(
      (value) => {
        this.#pending -= 1
        this.lease?.ended()
        followed?.()
        return value
      },
      (reason: unknown) => {
        this.#pending -= 1
        const error = this.#failed(reason, sql)
        followed?.(error)
        const isRetried = this.lease !== undefined && this.mayRetry(runner) && isLost(error)
        if (retry !== undefined && isRetried) return retry()
        throw error
      },
    )
  }

  #failed(reason: unknown, sql: string): unknown {
    const { lease } = this
    const error = statementError(reason, sql)
    const kind = failureOf(error)
    lease?.ended(this.route.isReadOnly && kind === 'read-only' ? 'statement' : kind)
    return this.#located(error, sql)
  }

  /** Notes on an error where it arose. */
  #located(error: unknown, sql: string): unknown {
    const { lease } = this
    markSite(error, {
      shard: this.shard.name,
      role: lease?.endpoint.role ?? this.route.role,
      node: lease?.endpoint.node,
      stage: stageOf(error, sql, lease !== undefined),
      kind: failureOf(error),
    })
    return error
  }

  /** Notes the write and tells the trace, once `result` has settled. */
  follow<T>(
    followUp: FollowUp,
    runner: QueryRunner,
    sql: string,
    parameters: unknown,
    ambient: Frame | undefined,
    result: Promise<T>,
  ): Promise<T> {
    const followed = this.#follower(followUp, runner, sql, parameters, ambient)
    return result.then(
      (value) => {
        followed()
        return value
      },
      (error: unknown) => {
        followed(error)
        throw error
      },
    )
  }

  #follower(
    { isTraced, isWrite }: FollowUp,
    runner: QueryRunner,
    sql: string,
    parameters: unknown,
    ambient: Frame | undefined,
  ): (error?: unknown) => void {
    const inTransaction = runner.isTransactionActive
    // What is written beside another runner's transaction, on SQLite's one connection, has no commit
    // of its own to wait for.
    const awaitsCommit = inTransaction && this.#begun === 'transaction'
    const at = isTraced ? Date.now() : 0
    const started = isTraced ? this.runtime.now() : 0
    const retried = this.isRetry
    return (error) => {
      if (isWrite) this.#noteWrite(sql, awaitsCommit, ambient)
      if (isTraced)
        this.#tell(sql, parameters, ambient, { at, started, inTransaction, error, retried })
    }
  }

  #noteWrite(sql: string, awaitsCommit: boolean, ambient: Frame | undefined): void {
    this.#writes ??= new WriteNotes(this.shard.name, this.runtime.now)
    this.#writes.settle(sql, awaitsCommit, ledgersOf(this.frame, ambient))
  }

  #tell(
    sql: string,
    parameters: unknown,
    ambient: Frame | undefined,
    outcome: Pick<StatementOutcome, 'at' | 'error' | 'inTransaction' | 'retried'> & {
      readonly started: number
    },
  ): void {
    const { started, ...rest } = outcome
    const durationMs = this.runtime.now() - started
    const stage = eventStage(outcome.error, sql, this)
    const facts = { ...rest, sql, ambient, durationMs, stage, isCached: false }
    const event = routeEvent(this, facts)
    this.runtime.trace.emit({ event, sql, parameters }, this.#collector(ambient))
  }

  /** Tells the trace that the result cache answered in a server's place. */
  tellCacheHit(runner: QueryRunner, sql: string): void {
    const ambient = this.ambient()
    if (!this.#isTraced(ambient)) return
    const event = routeEvent(this, {
      at: Date.now(),
      sql,
      inTransaction: runner.isTransactionActive,
      ambient,
      durationMs: 0,
      stage: 'query',
      error: undefined,
      isCached: true,
      retried: false,
    })
    this.runtime.trace.emit({ event, sql, parameters: undefined }, this.#collector(ambient))
  }
}

/** The ledgers of the route's scope and of the scope around the statement: most often one. */
const ledgersOf = (
  frame: Frame | undefined,
  ambient: Frame | undefined,
): readonly WriteLedger[] => {
  if (frame === undefined) return ambient === undefined ? [] : [ambient.writes]
  return ambient === undefined || ambient.writes === frame.writes
    ? [frame.writes]
    : [frame.writes, ambient.writes]
}

/** How many transactions and savepoints of TypeORM's are open on a runner. */
const depthOf = (runner: QueryRunner): number =>
  (runner as QueryRunner & Partial<RunnerInternals>).transactionDepth ?? 0

/** TypeORM's own. */
const ownSavepoint = /^SAVEPOINT typeorm_\d+$/

const runnerIsStarting = (sql: string): boolean =>
  sql === startTransaction || sql === 'BEGIN TRANSACTION' || /^set transaction isolation/i.test(sql)

const eventStage = (error: unknown, sql: string, state: RunnerState) => {
  const stage = stageOf(error, sql, state.lease !== undefined || state.endpoint !== undefined)
  return stage === 'commit' ? 'query' : stage
}
