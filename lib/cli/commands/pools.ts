import type { AddCommand } from '../frame.js'

/** `octopus pools`: every server's pool with its numbers. */
export const addPools: AddCommand = (program, frame) => {
  program
    .command('pools')
    .description('the pool of every server, as this process would use it, with its numbers')
    .action(
      frame.action(async (session) => {
        const db = await session.loadDataSource()
        const pools = db.octopus.pools()
        session.output.show(pools, (paper) =>
          paper.table(
            ['shard', 'role', 'node', 'group', 'state', 'max', 'active', 'idle', 'waiting'],
            pools.map((pool) => [
              pool.shard,
              pool.role,
              pool.node,
              pool.group,
              pool.outOfService === undefined
                ? pool.state
                : { text: `out of service: ${pool.outOfService}`, tone: 'bad' },
              pool.max,
              pool.active,
              pool.idle,
              pool.waiting,
            ]),
          ),
        )
      }),
    )
}
