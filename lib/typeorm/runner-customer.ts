import { type QueryRunner, QueryRunnerAlreadyReleasedError } from 'typeorm'
import type { ConnectionOwner, Lease } from '../pool/lease.js'
import type { Customer, WantedServer } from '../pool/registry.js'
import type { Candidates, Endpoint, ShardTopology } from '../topology/snapshot.js'
import { routed } from './binding.js'
import { attach } from './held-connection.js'
import { noteLease, watchRaw } from './raw-statements.js'
import type { RunnerState } from './runner-state.js'
import { isListenedTo } from './statement-trace.js'

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
    const { shard } = this.#state
    if (isListenedTo(this.#state, undefined))
      watchRaw(lease.connection as object, shard, lease.endpoint)
    noteLease(lease)
    return attach(runner, lease)
  }
}

/** Where the caller is, without the library's own frames at the top. */
const stack = (): string | undefined => new Error().stack?.split('\n').slice(5).join('\n')

/** Takes a connection for a runner. */
export const checkOut = (runner: QueryRunner): Promise<unknown> =>
  routed(runner).runtime.pools.checkout(new RunnerCustomer(runner))
