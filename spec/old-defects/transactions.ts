import { expect } from 'chai'
import type { EntityManager } from 'typeorm'
import { ReadOnlyScopeError } from '../../lib/index.js'
import { failureOf } from '../typeorm/compat/support.js'
import { Client, Item } from './entities.js'
import type { Stage } from './stage.js'

const readAndUpdate = async (manager: EntityManager): Promise<void> => {
  await manager.find(Client)
  await manager.update(Client, 1, { name: 'renamed' })
}

const whole = ['begin', 'select client', 'update client', 'commit']

/** Transactions, and the connection that each is on. */
export const transactions = (stage: () => Stage): void => {
  /** The words of one transaction on a server, and how many connections it took. */
  const onOneConnection = async (work: () => unknown) => {
    let connections: readonly (readonly [string, number])[] = []
    const sent = await stage().sent(async () => {
      const logs = Object.entries(await stage().logged(work))
      connections = logs.map(([name, log]) => [
        name,
        new Set(log.map(({ connection }) => connection)).size,
      ])
    })
    return { sent, connections: Object.fromEntries(connections) as Record<string, number> }
  }

  it('[T2] a transaction in a replica scope is on one replica, and writes in it reach no server', async () => {
    const { db } = stage()
    const { sent, connections } = await onOneConnection(() =>
      db.using('russia', () =>
        db.usingReplica({ group: 'fast' }, () =>
          db.transaction(async (manager) => {
            expect(await failureOf(() => readAndUpdate(manager))).to.be.instanceOf(
              ReadOnlyScopeError,
            )
          }),
        ),
      ),
    )
    expect(sent).to.deep.equal({ 'russia/r1': ['begin read only', 'select client', 'commit'] })
    expect(connections).to.deep.equal({ 'russia/r1': 1 })
  })

  it('[T2] a transaction on the primary in a replica scope has its reads there too', async () => {
    const { db } = stage()
    const { sent, connections } = await onOneConnection(() =>
      db.usingReplica({ group: 'fast' }, () =>
        db.usingPrimary(() => db.transaction(readAndUpdate)),
      ),
    )
    expect(sent).to.deep.equal({ master: whole })
    expect(connections).to.deep.equal({ master: 1 })
  })

  it('[T6] what a transaction reads is on its primary, whichever entities are replicated', async () => {
    const sent = await stage().with({ fullyReplicated: false }, (db) =>
      stage().sent(() =>
        db.transaction(async (manager) => {
          await manager.update(Item, 1, { name: 'renamed' })
          await manager.find(Client)
          await db.manager.find(Client)
        }),
      ),
    )
    expect(sent).to.deep.equal({
      master: ['begin', 'update item', 'select client', 'select client', 'commit'],
    })
  })

  it('[T7] on a shard with replica groups a transaction is on one connection of the primary', async () => {
    const { db } = stage()
    const { sent, connections } = await onOneConnection(() =>
      db.using('russia', () => db.transaction(readAndUpdate)),
    )
    expect(sent).to.deep.equal({ russia: whole })
    expect(connections).to.deep.equal({ russia: 1 })
  })

  it('[T11] work on a shard’s own connection leaves nothing behind', async () => {
    const { db } = stage()
    const runner = db.shard('canada').createQueryRunner()
    const sent = await stage().sent(async () => {
      await runner.query('DELETE FROM item WHERE id = 1')
      expect(db.octopus.currentShard()).to.equal('master')
      await db.manager.update(Item, 1, { name: 'while it is open' })
      await runner.release()
      await db.manager.update(Item, 1, { name: 'after it' })
    })
    expect(sent).to.deep.equal({
      canada: ['delete item'],
      master: ['update item', 'update item'],
    })
  })
}
