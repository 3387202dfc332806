import type { QueryRunner } from 'typeorm'
import type { ReadStream } from 'node:fs'
import { routed, stateOf } from './binding.js'
import { RoutedEntityManager } from './entity-manager.js'
import type { FollowedStatement } from './followed-statement.js'
import type { Driver, PooledDriver, ReplicationMode, RunnerInternals } from './internals.js'
import { sendInTime } from './query-timeout.js'
import { checkOut } from './runner-customer.js'
import { watched } from './watched-stream.js'

type RunnerClass = new (driver: Driver, mode: ReplicationMode) => QueryRunner

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

/** Sends a statement that has a limit of time or is observed. */
const sendWatched = <T>(
  runner: QueryRunner,
  sql: string,
  parameters: unknown[] | undefined,
  timeoutMs: number,
  followed: FollowedStatement | undefined,
  send: () => Promise<T>,
): Promise<T> => {
  const sendInLimit = (): Promise<T> =>
    timeoutMs > 0 ? sendInTime(runner, sql, parameters, timeoutMs, send) : send()
  return followed === undefined ? sendInLimit() : followed.send(sendInLimit)
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
      const followed = state.follow(this, sql, parameters, ambient)
      state.began()
      const { queryTimeoutMs } = state
      const timeoutMs = readsByTypeorm(this) ? 0 : queryTimeoutMs
      const result = (
        timeoutMs > 0 || followed?.isObserved === true
          ? sendWatched(this, sql, parameters, timeoutMs, followed, () =>
              super.query(admitted, parameters, structured as true),
            )
          : super.query(admitted, parameters, structured as true)
      ) as Promise<never>
      return state.settle(followed, this, sql, parameters, result, structured)
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
      const followed = state.follow(this, sql, parameters, ambient)
      state.began()
      state.isStreaming = true
      const send = () => super.stream(admitted, parameters, onEnd, onError)
      const sent = followed === undefined ? send() : followed.send(send)
      const result = sent.then((stream) => watched(stream, state, onError))
      return state.settle(followed, this, sql, parameters, result)
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
