import { expect } from 'chai'
import { DataSource } from 'typeorm'
import { ConfigError, UnknownShardError, octopus } from '../../../lib/index.js'
import { failureOf } from '../../typeorm/compat/support.js'
import { User } from '../entities/people.js'
import { type Row, row } from '../row.js'

const select = ['select people_user'] as const
const three = [...select, ...select, ...select] as const

/** Does `work`, and tells what the process was warned of meanwhile. */
const warningsDuring = async <T>(
  work: () => Promise<T>,
): Promise<{ value: T; warnings: readonly string[] }> => {
  const warnings: string[] = []
  const note = ({ message }: Error): void => void warnings.push(message)
  process.on('warning', note)
  try {
    const value = await work()
    // Warnings are told of in the next turn.
    await new Promise((resolve) => setImmediate(resolve))
    return { value, warnings }
  } finally {
    process.off('warning', note)
  }
}

/** Octopus's octopus_spec: its configuration, and reading from replicas by the block. */
export const octopusRows: readonly Row[] = [
  row(
    'O1',
    'options are an object of known keys, and a misspelt one is named',
    { brazil: select },
    async ({ db }) => {
      const misspelt = (): unknown =>
        octopus(new DataSource({ type: 'sqljs' }), { shardz: {} } as object)
      expect(misspelt).to.throw(ConfigError, 'shardz')
      await db.using('brazil', () => db.manager.find(User))
    },
  ),
  row(
    'O2',
    'no further shards is the default one alone, and a file that is named has to be there',
    { master: select },
    async (world) => {
      const missing = (): unknown => octopus(new DataSource({ type: 'sqljs' }), 'no-such.yml')
      expect(missing).to.throw(ConfigError, 'no-such.yml')
      const db = await world.wrap({ shards: [] })
      expect(db.octopus.shardNames).to.deep.equal(['master'])
      await db.manager.find(User)
    },
  ),
  row(
    'O5',
    'shards are given in code, and a name is unknown without them',
    { brazil: select },
    async (world) => {
      const [without, with_] = [await world.wrap({ shards: [] }), await world.wrap({})]
      const error = await failureOf(() => without.using('brazil', () => without.manager.find(User)))
      expect(error).to.be.instanceOf(UnknownShardError)
      await with_.using('brazil', () => with_.manager.find(User))
    },
  ),
  row('O6', 'nothing has to be said to be enabled', { canada: select }, async (world) => {
    const { value: db, warnings } = await warningsDuring(() => world.wrap({}))
    expect(warnings).to.deep.equal([])
    await db.using('canada', () => db.manager.find(User))
  }),
  row(
    'O7',
    'an application says by a flag in which environments it is enabled',
    { brazil: select, master: [...select, ...select] },
    async (world) => {
      const inEnvironment = (name: string) =>
        world.wrap({ octopus: { enabled: ['staging', 'production'].includes(name) } })
      const turns = { staging: 1, test: 2 }
      for (const [name, times] of Object.entries(turns)) {
        const db = await inEnvironment(name)
        for (let turn = 0; turn < times; turn += 1)
          await db.using('brazil', () => db.manager.find(User))
      }
    },
  ),
  row(
    'O8',
    'enabled, scopes and handles choose the shard',
    { brazil: select, canada: [...select, ...select] },
    async (world) => {
      const db = await world.wrap({ octopus: { enabled: true } })
      await db.using('brazil', () => db.manager.find(User))
      await db.shard('canada').manager.find(User)
      await db.using('canada', () => db.manager.find(User))
    },
  ),
  row(
    'O9',
    'disabled, all goes to the default shard, and a warning and the trace say so',
    { master: [...select, ...select] },
    async (world) => {
      const off = () => world.wrap({ octopus: { enabled: false } })
      const { value: db, warnings } = await warningsDuring(off)
      expect(warnings).to.have.length(1)
      expect(warnings[0]).to.include('octopus is disabled')
      const { events } = await db.octopus.withTrace(async () => {
        await db.using('brazil', () => db.manager.find(User))
        await db.shard('brazil').manager.find(User)
      })
      expect(events.map(({ reason }) => reason)).to.deep.equal(['disabled', 'disabled'])
    },
  ),
  row(
    'O10',
    'a scope of replicas reads any entity from them in turns, and outside it an entity that is not replicated is read on the primary',
    { 'russia/*': three, russia: select },
    async (world) => {
      const db = await world.wrap({ defaultShard: 'russia', octopus: { fullyReplicated: false } })
      const { events } = await db.octopus.withTrace(() =>
        db.usingReplica(async () => {
          for (let turn = 0; turn < 3; turn += 1) await db.manager.find(User)
        }),
      )
      expect(new Set(events.map(({ node }) => node)).size).to.equal(3)
      await db.manager.find(User)
    },
  ),
  row(
    'O11',
    'scopes of replicas nest, and the outer one holds after the inner one',
    { 'russia/*': three, russia: select },
    async (world) => {
      const db = await world.wrap({ defaultShard: 'russia', octopus: { reads: 'primary' } })
      const find = (): Promise<User[]> => db.manager.find(User)
      await db.usingReplica(async () => {
        await find()
        await db.usingReplica(find)
        await find()
      })
      await find()
    },
  ),
]
