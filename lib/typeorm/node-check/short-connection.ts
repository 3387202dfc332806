import { connectErrorOf } from '../../pool/connect-failure.js'
import { PoolJournal } from '../../pool/journal.js'
import { settlesIn } from '../../pool/leases.js'
import type { Connector, VerifiedConnection } from '../../pool/lease.js'
import type { Endpoint } from '../../topology/snapshot.js'
import { driverAccess } from '../driver-access.js'
import { connectorOf, optionsOf } from '../drivers.js'
import type { Physical } from '../physical-connections.js'
import { driverExtra } from '../pool-settings.js'
import { watchRaw } from '../raw-statements.js'
import type { Shard } from '../shard.js'
import { Sockets } from '../sockets.js'

/** A way to one server beside its pool, by a driver of its own, with one connection. */
const connectorBeside = (shard: Shard, endpoint: Endpoint): Connector => {
  const driver = shard.drivers.separate(endpoint)
  const sockets = new Sockets(() => undefined)
  const extra = (): object => ({
    ...driverExtra(optionsOf(driver), shard.family, shard.poolConfig, sockets),
    ...(shard.family === 'postgres' ? { max: 1 } : { connectionLimit: 1 }),
  })
  let isConnected = false
  return connectorOf(driver, {
    sockets,
    // Not the pool's: what is asked here is none of its work.
    journal: new PoolJournal(endpoint),
    extra,
    async start() {
      Object.assign(driver, await driverAccess.connect(driver, extra()))
      isConnected = true
      return driver
    },
    greet: () => Promise.resolve(),
    watch: (connection) => {
      if (shard.runtime.trace.isOn) watchRaw(connection, shard, endpoint)
    },
    async stop() {
      if (isConnected) await driverAccess.disconnect(driver)
    },
  })
}

/** What was asked over a connection, and how long that took to be there. */
export interface ShortConnection<T> {
  readonly connectMs: number
  readonly answer: T
}

const asked = async <T>(
  connector: Connector,
  purpose: string,
  ask: (connection: VerifiedConnection) => Promise<T>,
): Promise<ShortConnection<T>> => {
  const started = performance.now()
  await connector.start()
  // The connectors of servers lend nothing else.
  const connection = (await connector.acquire()) as Physical
  connection.purpose = purpose
  const connectMs = Math.round(performance.now() - started)
  try {
    return { connectMs, answer: await ask(connection) }
  } finally {
    connection.giveBack()
  }
}

/**
 * Asks a server something over a connection that is opened for it and closed after it, whatever the
 * state of the server's pool, and whether the data source is initialised or not.
 *
 * @param purpose - what it is asked for, for the trace
 * @param timeoutMs - for all of it; after that its sockets are closed
 * @throws ConnectError if the server cannot be used, or does not answer in time
 */
export const askBeside = async <T>(
  shard: Shard,
  endpoint: Endpoint,
  purpose: string,
  timeoutMs: number,
  ask: (connection: VerifiedConnection) => Promise<T>,
): Promise<ShortConnection<T>> => {
  const connector = connectorBeside(shard, endpoint)
  const work = asked(connector, purpose, ask)
  try {
    if (!(await settlesIn(work, timeoutMs)))
      throw Object.assign(new Error(`no answer in ${timeoutMs} ms`), { code: 'ETIMEDOUT' })
    const answered = await work
    if (!(await settlesIn(connector.stop(), timeoutMs))) connector.abort()
    return answered
  } catch (error) {
    // What is still on its way ends with its socket; nobody waits for it.
    connector.abort()
    void Promise.allSettled([work, connector.stop()])
    throw connectErrorOf(endpoint, error)
  }
}
