import { type EntityMetadata, QueryFailedError, type QueryRunner } from 'typeorm'
import { currentFrame } from '../context/carrier.js'
import { type Frame, frameOf } from '../context/frame.js'
import { ReadOnlyScopeError } from '../errors.js'
import { failureOf } from '../pool/failure.js'
import type { Lease } from '../pool/lease.js'
import type { Route } from '../router/decide.js'
import type { Intent } from '../router/request.js'
import type { Endpoint } from '../topology/snapshot.js'
import type { RouteEventKind, RouteReason } from '../trace/event.js'
import type { MigrationWork } from './migrations/migration-work.js'
import { nextRouteId } from '../trace/ids.js'
import { withComment } from '../trace/sql-comment.js'
import { FollowedStatement } from './followed-statement.js'
import { isRefusedOnReplica, mayWrite } from './read-only-guard.js'
import { routeComment } from './route-comment.js'
import type { Runtime } from './runtime.js'
import type { Shard } from './shard.js'
import { sendAgain } from './held-connection.js'
import { isLost, located, statementError } from './statement-failures.js'
import { isListenedTo } from './statement-trace.js'
import { TransactionScope, startTransaction } from './transaction-scope.js'
import { WriteNotes, ledgersOf } from './write-notes.js'

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

const noCandidates: readonly Endpoint[] = Object.freeze([])

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
  /** The server, where it was chosen when the runner was made: SQLite's file. */
  endpoint: Endpoint | undefined = undefined
  /** Among which it was chosen. */
  candidates: readonly Endpoint[] = noCandidates
  /** The lease of which the trace was told how it was come by. */
  toldLease: Lease | undefined = undefined
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
  /** The migration that it was given to, while that runs. */
  migration: MigrationWork | undefined = undefined
  /** Whether its rows come one by one, so that a reader may have had some. */
  isStreaming = false
  #routeId: string | undefined = undefined
  /** What its statements end with, made at the first. */
  #comment: string | undefined = undefined
  #pending = 0
  /** Made at the first statement in a transaction. */
  #transaction: TransactionScope | undefined = undefined
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

  /** The state of something else that is done in the same scope, on the same shard. */
  otherwise(change: Partial<RunnerFacts>): RunnerState {
    const { runtime, shard, route, frame, intent, operation, metadata, kind } = this
    const facts = { runtime, shard, route, frame, intent, operation, metadata, kind }
    return new RunnerState({ ...facts, ...change })
  }

  /** Whether the library made the runner for one operation of its own. */
  get isOwn(): boolean {
    return this.kind === 'statement' && this.intent !== 'transaction'
  }

  /** Identifies the route in the trace. Made when it is first asked for. */
  get routeId(): string {
    return (this.#routeId ??= nextRouteId())
  }

  get reason(): RouteReason {
    return this.route.reason
  }

  /** How long a statement may take, in milliseconds; 0 is no limit. A change of a schema takes its time:
   *  cut off here, the server would go on with it, and nobody would know. */
  get queryTimeoutMs(): number {
    return this.migration === undefined ? this.shard.queryTimeoutMs : 0
  }

  /** Name of the entity that it is about, where TypeORM knows it. */
  get entity(): string | undefined {
    return this.metadata?.name
  }

  /** The server that answers, once it is known. */
  get server(): Endpoint | undefined {
    return this.lease?.endpoint ?? this.endpoint
  }

  /** Its name. */
  get node(): string | undefined {
    return this.server?.node
  }

  /** Takes in the server, where it is chosen with the runner. */
  standAt(endpoint: Endpoint, candidates: readonly Endpoint[] = [endpoint]): void {
    this.endpoint = endpoint
    this.candidates = candidates
  }

  /**
   * Looks whether the connection is still there. TypeORM would say only that the runner was released.
   *
   * @throws QueryFailedError with what the connection was lost by
   */
  checkHeld(sql: string, parameters: unknown[] | undefined): void {
    if (this.lostBy !== undefined)
      throw located(this, new QueryFailedError(sql, parameters, this.lostBy), sql)
  }

  /**
   * Looks at a statement before it is sent.
   *
   * @returns the SQL to send
   * @throws CrossShardError in a scope of another shard that was entered after the transaction or the
   *   migration began
   * @throws ReadOnlyScopeError for a write inside `usingReplica`
   */
  admit(runner: QueryRunner, sql: string, ambient: Frame | undefined): string {
    if (runner.isTransactionActive) {
      this.#transaction ??= new TransactionScope(this.shard.name)
      this.#transaction.check(runner, sql, ambient)
    }
    this.migration?.check(sql, ambient)
    const admitted = this.route.isReadOnly ? this.#admitReading(sql) : sql
    return this.runtime.config.sqlComments.length === 0 ? admitted : this.#commented(admitted)
  }

  #commented(sql: string): string {
    this.#comment ??= routeComment(this)
    return withComment(sql, this.#comment)
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

  /** Follows a statement that is about to be sent; undefined, and nothing allocated, for most. */
  follow(
    runner: QueryRunner,
    sql: string,
    parameters: unknown,
    ambient: Frame | undefined,
  ): FollowedStatement | undefined {
    const isTraced = isListenedTo(this, ambient)
    const isWrite = this.#remembersWrites(sql, ambient)
    if (!isTraced && !isWrite) return undefined
    return new FollowedStatement(this, runner, sql, parameters, ambient, isTraced, isWrite)
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
   * Ends a statement of a server: notes what its error says of the connection, notes the write and tells
   * the trace.
   *
   * @param structured - how `query` was asked to answer: a lost read is sent once more
   */
  settle<T>(
    followed: FollowedStatement | undefined,
    runner: QueryRunner,
    sql: string,
    parameters: unknown,
    result: Promise<T>,
    structured?: boolean,
  ): Promise<T> {
    return result.then(
      (value) => {
        this.#pending -= 1
        this.lease?.ended()
        followed?.answered(value)
        return value
      },
      (reason: unknown) => {
        this.#pending -= 1
        const error = this.#failed(reason, sql)
        followed?.failed(error)
        const isRetried = this.lease !== undefined && this.mayRetry(runner) && isLost(error)
        if (isRetried) return sendAgain(runner, sql, parameters, structured)
        throw error
      },
    )
  }

  #failed(reason: unknown, sql: string): unknown {
    const { lease } = this
    const error = statementError(reason, sql)
    const kind = failureOf(error)
    lease?.ended(this.route.isReadOnly && kind === 'read-only' ? 'statement' : kind)
    return located(this, error, sql)
  }

  /** Whether it began the transaction that is open, and so will commit it. What is written beside another
   *  runner's transaction, on SQLite's one connection, has no commit of its own to wait for. */
  get ownsTransaction(): boolean {
    return this.#transaction?.isOwn === true
  }

  /** Notes what was written, in the scopes that it was written in. */
  noteWrite(sql: string, awaitsCommit: boolean, ambient: Frame | undefined): void {
    this.#writes ??= new WriteNotes(this.shard.name, this.runtime.now)
    this.#writes.settle(sql, awaitsCommit, ledgersOf(this.frame, ambient))
  }
}

/** Tells whoever follows a statement when it has settled. */
export const settling = <T>(
  followed: FollowedStatement | undefined,
  result: Promise<T>,
): Promise<T> =>
  followed === undefined
    ? result
    : result.then(
        (value) => {
          followed.answered(value)
          return value
        },
        (error: unknown) => {
          followed.failed(error)
          throw error
        },
      )
