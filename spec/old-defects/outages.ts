import { expect } from 'chai'
import { FanOutError, type OctopusOptions } from '../../lib/index.js'
import { freePort } from '../support/cluster/free-port.js'
import { until } from '../support/until.js'
import { failureOf } from '../typeorm/compat/support.js'
import { Client } from './entities.js'
import type { Stage } from './stage.js'

/** Servers that do not answer, and connections that are closed. */
export const outages = (stage: () => Stage): void => {
  /** Nobody listens there. */
  const gone = async () => ({ host: '127.0.0.1', port: await freePort() })
  const withoutReplica = async (): Promise<OctopusOptions> => ({
    replicas: [{ name: 'gone', ...(await gone()) }],
    onNoReplica: 'error',
  })

  it('[T17] after a replica failed, work goes on where it would have', async () => {
    const sent = await stage().with(await withoutReplica(), (db) =>
      stage().sent(async () => {
        await db.using('russia', async () => {
          const read = () => db.using('master', () => db.manager.find(Client))
          expect(await failureOf(read)).to.be.instanceOf(Error)
          await db.manager.insert(Client, { name: 'in the scope around it' })
        })
        expect(await failureOf(() => db.manager.find(Client))).to.be.instanceOf(Error)
        await db.manager.insert(Client, { name: 'outside' })
      }),
    )
    expect(sent).to.deep.equal({ master: ['insert client'], russia: ['insert client'] })
  })

  it('[FC] what is done in a scope is done once, also when a replica fails in it', async () => {
    let calls = 0
    const sent = await stage().with(await withoutReplica(), (db) =>
      stage().sent(async () => {
        const work = async (): Promise<void> => {
          calls += 1
          await db.manager.insert(Client, { name: 'once' })
          await db.usingReplica(() => db.manager.find(Client))
        }
        expect(await failureOf(() => db.usingPrimary(work))).to.be.instanceOf(Error)
      }),
    )
    expect(calls).to.equal(1)
    expect(sent).to.deep.equal({ master: ['insert client'] })
  })

  it('[G9] a data source that was closed is, when it is started again, what it was', async () => {
    const { db } = stage()
    const servers = () => db.octopus.pools().map(({ shard, node }) => `${shard} ${node}`)
    const known = servers()
    await stage().restart(() =>
      until(async () => Object.keys(await stage().connections()).length === 0, {
        what: 'every server to have lost its connections',
      }),
    )
    expect(servers()).to.deep.equal(known)
    const sent = await stage().sent(async () => {
      await db.usingReplica({ group: 'fast' }, () => db.manager.find(Client))
      await db.using('russia', () => db.manager.insert(Client, { name: 'again' }))
    })
    expect(sent).to.deep.equal({ 'master/r1': ['select client'], russia: ['insert client'] })
  })

  it('[G10] a server that is gone fails the work that needs it, and no other, nor start and end', async () => {
    const options = async (): Promise<OctopusOptions> => ({
      shards: { russia: stage().russia, lost: { ...(await gone()), connect: 'eager' } },
      groups: {},
    })
    const insert = (shard: string) => ({ name: shard })
    const db = stage().wrap(await options())
    await db.initialize()
    try {
      await db.using('russia', () => db.query('SELECT 1')) // a driver's first words
      const sent = await stage().sent(async () => {
        const outcomes = await db.usingAll((shard) => db.manager.insert(Client, insert(shard)), {
          onError: 'collect',
        })
        expect(outcomes.map(({ shard, status }) => [shard, status])).to.deep.equal([
          ['master', 'fulfilled'],
          ['russia', 'fulfilled'],
          ['lost', 'rejected'],
        ])
        const error = await failureOf(() =>
          db.usingAll((shard) => db.manager.insert(Client, insert(shard))),
        )
        expect(error).to.be.instanceOf(FanOutError)
        expect((error as FanOutError).failures.map(({ shard }) => shard)).to.deep.equal(['lost'])
      })
      expect(sent).to.deep.equal({
        master: ['insert client', 'insert client'],
        russia: ['insert client', 'insert client'],
      })
    } finally {
      await db.destroy()
    }
    expect(db.octopus.pools().filter(({ state }) => state === 'open')).to.deep.equal([])
  })
}
