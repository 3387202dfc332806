import type { ConnectionBudget, ConnectionProxy, PoolInfo } from '../../index.js'
import { type AddCommand, type Cell, type Paper, type Session, exitCodes } from '../frame.js'
import { wholeNumber } from '../options.js'
import { placeText } from '../places.js'

interface PoolsOptions {
  readonly connect?: boolean
  readonly workers?: number
}

const stateOf = ({ state, outOfService, lastConnectFailure }: PoolInfo): Cell => {
  if (outOfService !== undefined) return { text: `out of service: ${outOfService}`, tone: 'bad' }
  if (lastConnectFailure !== undefined) return { text: lastConnectFailure, tone: 'bad' }
  return state === 'open' ? { text: state, tone: 'good' } : state
}

/** Not known before it is opened; SQLite has one connection, and no limit to what shares it. */
const sizeOf = ({ state, max }: PoolInfo): Cell =>
  state === 'idle' || !Number.isFinite(max) ? '' : max

const write = (paper: Paper, pools: readonly PoolInfo[], budget: ConnectionBudget): void => {
  paper.table(
    ['shard', 'role', 'node', 'server', 'state', 'max', 'active', 'idle', 'opened', 'connect ms'],
    pools.map((pool) => [
      pool.shard,
      pool.role,
      pool.node,
      placeText(pool),
      stateOf(pool),
      sizeOf(pool),
      pool.active,
      pool.idle,
      pool.opened,
      Math.round(pool.connectMs),
    ]),
  )
  for (const line of budget.lines) paper.line(line)
}

/** Connects every server of every shard; one that fails leaves its failure in its numbers. */
const connectAll = async (db: ConnectionProxy, { output }: Session): Promise<boolean> => {
  const { shardNames } = db.octopus
  const progress = output.progress(shardNames.length, 'connecting')
  const results = await Promise.allSettled(
    shardNames.map((shard) => db.octopus.warm([shard]).finally(() => progress.step(1, shard))),
  )
  progress.stop()
  const failed = results.filter((result) => result.status === 'rejected')
  for (const { reason } of failed) output.warn(reason instanceof Error ? reason.message : '')
  return failed.length === 0
}

/** `octopus pools`: every server's pool, and how many connections the configuration comes to. */
export const addPools: AddCommand = (program, frame) => {
  program
    .command('pools')
    .description(
      'the pool of every server in this process, and how many connections all processes can come to',
    )
    .option('--connect', 'connect every server first')
    .option('--workers <number>', 'processes with these pools', wholeNumber(1))
    .action(
      frame.action(async (session, { connect = false, workers }: PoolsOptions) => {
        const db = await (connect ? session.openDataSource() : session.loadDataSource())
        const isConnected = !connect || (await connectAll(db, session))
        const pools = db.octopus.pools()
        const budget = db.octopus.connectionBudget(workers)
        session.output.show({ pools, budget }, (paper) => write(paper, pools, budget))
        return isConnected ? exitCodes.ok : exitCodes.failed
      }),
    )
}
