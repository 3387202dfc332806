import { QueryFailedError, type QueryRunner, QueryRunnerAlreadyReleasedError } from 'typeorm'
import { type EventEmitter, errorMonitor } from 'node:events'
import type { ReadStream } from 'node:fs'
import { QueryTimeoutError } from '../errors.js'
import { failureOf } from '../pool/failure.js'
import type { ConnectionOwner, Lease } from '../pool/lease.js'
import type { Customer, WantedServer } from '../pool/registry.js'
import type { Candidates, Endpoint, ShardTopology } from '../topology/snapshot.js'
import { routed, stateOf } from './binding.js'
import { RoutedEntityManager } from './entity-manager.js'
import type {
  Driver,
  PooledDriver,
  PostgresRunnerInternals,
  ReplicationMode,
  RunnerInternals,
} from './internals.js'
import type { RunnerState } from './runner-state.js'
import { isLost } from './statement-failures.js'

type RunnerClass = new (driver: Driver, mode: ReplicationMode) => QueryRunner

/** Puts a leased connection into a MySQL runner. */
const attachMysql = (runner: QueryRunner & RunnerInternals, lease: Lease): unknown => {
  runner.databaseConnection = lease.connection
  return lease.connection
}

interface PostgresClient {
  on(event: 'error', listener: (error: Error) => void): void
  removeListener(event: 'error', listener: (error: Error) => void): void
}

/** Puts a leased connection into a PostgreSQL runner, as its own `connect` does: a connection that
 *  fails while it is held ends the runner. */
const attachPostgres = (runner: QueryRunner & PostgresRunnerInternals, lease: Lease): unknown => {
  // The connector of PostgreSQL leases nothing else.
  const client = lease.connection as PostgresClient
  const onError = (error: Error): void => {
    const state = routed(runner)
    // Now: once the lease is released the pool does not hear of it any more.
    lease.failed(failureOf(error) ?? 'lost')
    // A runner that is released could not send its read once more.
    if (state.mayRetry(runner)) return
    state.lostBy = error
    void runner.releasePostgresConnection(error)
  }
  client.on('error', onError)
  runner.releaseCallback = (error) => {
    client.removeListener('error', onError)
    lease.release(error)
  }
  runner.databaseConnection = client
  return client
}

/** One runner's request for a connection. */
class RunnerCustomer implements Customer<unknown> {
  readonly #runner: QueryRunner
  readonly #state: RunnerState
  readonly callSite: string | undefined

  constructor(runner: QueryRunner) {
    this.#runner = runner
    this.#state = routed(runner)
    this.callSite = this.#state.runtime.config.checkoutCallSites ? stack() : undefined
  }

  get route(): WantedServer {
    return this.#state.route
  }

  get owner(): object | undefined {
    return this.#state.frame?.writes
  }

  get isRetry(): boolean {
    return this.#state.isRetry
  }

  get connectionScope(): ConnectionOwner | undefined {
    return this.#state.frame?.connections as ConnectionOwner | undefined
  }

  servers(): ShardTopology {
    return this.#state.shard.topology
  }

  balance(candidates: Candidates): Endpoint {
    const { runtime, shard, route } = this.#state
    return runtime.balancers.of(shard.name, route.replicaGroup)(candidates)
  }

  /** Takes the connection in, or gives it back at once if the runner was released meanwhile. */
  use(lease: Lease): unknown {
    const runner = this.#runner
    if (runner.isReleased) throw new QueryRunnerAlreadyReleasedError()
    this.#state.hold(lease)
    lease.holder = runner
    return this.#state.shard.family === 'postgres'
      ? attachPostgres(runner as QueryRunner & PostgresRunnerInternals, lease)
      : attachMysql(runner as QueryRunner & RunnerInternals, lease)
  }
}

/** Where the caller is, without the library's own frames at the top. */
const stack = (): string | undefined => new Error().stack?.split('\n').slice(5).join('\n')

const checkOut = (runner: QueryRunner): Promise<unknown> =>
  routed(runner).runtime.pools.checkout(new RunnerCustomer(runner))

/** Lets go of a connection that was lost, so that the next statement takes another. */
const detach = (runner: QueryRunner & Partial<PostgresRunnerInternals>): void => {
  const state = routed(runner)
  const { lease } = state
  runner.databaseConnection = undefined
  runner.databaseConnectionPromise = undefined
  state.lease = undefined
  const error = new Error('The connection was lost')
  if (runner.releaseCallback === undefined) lease?.release(error)
  else runner.releaseCallback(error)
  runner.releaseCallback = undefined
}

/**
 * Sends a statement that has so many milliseconds for its answer. After that its caller is freed and the
 * connection closed: neither driver does it, and a server that is stalled would hold both for ever.
 */
const sendInTime = (
  runner: QueryRunner,
  sql: string,
  parameters: unknown[] | undefined,
  ms: number,
  send: () => Promise<never>,
): Promise<never> =>
  runner.connect().then(
    () =>
      new Promise<never>((resolve, reject) => {
        const { lease } = routed(runner)
        const timer = setTimeout(() => {
          lease?.abort()
          const id = lease?.endpoint.id ?? ''
          reject(new QueryFailedError(sql, parameters, new QueryTimeoutError(id, ms)))
        }, ms)
        send()
          .then(resolve, reject)
          .finally(() => clearTimeout(timer))
      }),
  )

/**
 * Lets a stream tell the pool of the loss of its connection, and its reader too, who would else wait for
 * ever: mysql2 tells statements with a callback only, and pg-query-stream does not end before its last
 * word has been answered.
 */
const watched = (
  stream: ReadStream,
  { lease, shard }: RunnerState,
  onError: Function | undefined,
): ReadStream => {
  if (lease === undefined) return stream
  const noteFailure = (error: unknown): void => {
    const kind = failureOf(error)
    if (isLost(error) && kind !== undefined) lease.failed(kind)
  }
  stream.once(errorMonitor, noteFailure)
  if (shard.family === 'postgres') {
    const { _destroy: destroy } = stream
    stream._destroy = (error, done) => {
      if (lease.isSpoilt) done(error)
      else destroy.call(stream, error, done)
    }
    return stream
  }
  const connection = lease.connection as EventEmitter
  const onLost = (error: Error): void => {
    noteFailure(error)
    stream.destroy(error)
    onError?.(error)
  }
  connection.once('error', onLost)
  stream.once('close', () => connection.removeListener('error', onLost))
  return stream
}

/** Whether TypeORM's own `replication` option chooses the server: it has pools of its own. */
const readsByTypeorm = ({ mode, driver }: RunnerInternals): boolean =>
  mode === 'slave' && (driver as PooledDriver).isReplicated

const routedClasses = new WeakMap<RunnerClass, RunnerClass>()

/**
 * The routed twin of a driver's runner class: connections come from the library's pools, statements
 * are looked at before and followed after, releasing twice is harmless.
 */
export const routedRunnerClass = (Base: RunnerClass): RunnerClass => {
  const known = routedClasses.get(Base)
  if (known !== undefined) return known
  const Routed = deriveRunner(Base)
  routedClasses.set(Base, Routed)
  return Routed
}

const managerKey = Symbol('typeorm-octopus.manager')

/** A runner that may have its manager already. */
interface Managed {
  [managerKey]?: QueryRunner['manager']
}

/** The manager of a runner, made at its first use: most statements never ask for it. */
const managerOf = (runner: QueryRunner & Managed): QueryRunner['manager'] =>
  (runner[managerKey] ??= RoutedEntityManager.create(runner.dataSource, runner))

// A class made from another at run time: TypeORM's runner classes are not exported.
const deriveRunner = (Base: RunnerClass): RunnerClass => {
  const Derived = class extends (Base as new (
    driver: Driver,
    mode: ReplicationMode,
  ) => QueryRunner & RunnerInternals) {
    // Not defined afterwards: V8 never optimises the constructor of a class whose name was.
    // @ts-expect-error The target is not one where a function's name could not be replaced.
    static get name(): string {
      return Base.name
    }

    override connect(): Promise<unknown> {
      if (this.databaseConnection) return Promise.resolve(this.databaseConnection)
      if (readsByTypeorm(this)) return super.connect()
      this.databaseConnectionPromise ??= checkOut(this)
      return this.databaseConnectionPromise
    }

    override startTransaction(...args: Parameters<QueryRunner['startTransaction']>): Promise<void> {
      try {
        stateOf(this)?.admitTransaction()
      } catch (error) {
        return Promise.reject(error)
      }
      return super.startTransaction(...args)
    }

    override query(sql: string, parameters?: unknown[], structured?: boolean): Promise<never> {
      const state = stateOf(this)
      // The driver's constructor or a subclass may query before the route is set.
      if (state === undefined) return super.query(sql, parameters, structured as true) as never
      const ambient = state.ambient()
      let admitted: string
      try {
        state.checkHeld(sql, parameters)
        admitted = state.admit(this, sql, ambient)
      } catch (error) {
        return Promise.reject(error)
      }
      const followUp = state.followUp(sql, ambient)
      state.began()
      const send = (): Promise<never> =>
        super.query(admitted, parameters, structured as true) as Promise<never>
      const { queryTimeoutMs } = state.shard
      const result =
        queryTimeoutMs > 0 && !readsByTypeorm(this)
          ? sendInTime(this, sql, parameters, queryTimeoutMs, send)
          : send()
      return state.settle(followUp, this, sql, parameters, ambient, result, () => {
        detach(this)
        state.isRetry = true
        return this.query(sql, parameters, structured)
      })
    }

    override stream(
      sql: string,
      parameters?: unknown[],
      onEnd?: Function,
      onError?: Function,
    ): Promise<ReadStream> {
      const state = routed(this)
      const ambient = state.ambient()
      let admitted: string
      try {
        state.checkHeld(sql, parameters)
        admitted = state.admit(this, sql, ambient)
      } catch (error) {
        return Promise.reject(error)
      }
      const followUp = state.followUp(sql, ambient)
      state.began()
      state.isStreaming = true
      const result = super
        .stream(admitted, parameters, onEnd, onError)
        .then((stream) => watched(stream, state, onError))
      return state.settle(followUp, this, sql, parameters, ambient, result)
    }

    override release(): Promise<void> {
      if (this.isReleased) return Promise.resolve()
      const state = routed(this)
      // What is open on the connection must not become the next caller's.
      if (this.isTransactionActive && state.lease !== undefined) state.lease.isSpoilt = true
      if (state.shard.family === 'postgres' || readsByTypeorm(this)) return super.release()
      // Not super: MySQL's release gives the same connection back at each call.
      ;(this as { isReleased: boolean }).isReleased = true
      state.lease?.release()
      return Promise.resolve()
    }
  }
  Object.defineProperty(Derived.prototype, 'manager', {
    configurable: true,
    get(this: QueryRunner) {
      return managerOf(this)
    },
    set(this: QueryRunner & Managed, manager: QueryRunner['manager']) {
      this[managerKey] = manager
    },
  })
  return Derived as unknown as RunnerClass
}
