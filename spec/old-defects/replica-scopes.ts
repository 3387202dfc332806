import { expect } from 'chai'
import { ReadOnlyScopeError, UnknownReplicaGroupError, UnknownShardError } from '../../lib/index.js'
import { failureOf } from '../typeorm/compat/support.js'
import { Client, Item } from './entities.js'
import type { Stage } from './stage.js'

/** What a scope reads that names a replica, a replica group, or a shard beside one. */
export const replicaScopes = (stage: () => Stage): void => {
  const find = () => stage().db.manager.find(Client)

  it('[T1] a shard named inside a replica scope is the one that is read', async () => {
    const { db } = stage()
    const sent = await stage().sent(() =>
      db.usingReplica({ group: 'fast' }, async () => {
        await find()
        await db.using('russia', async () => {
          await find()
          const update = () => db.manager.update(Client, 1, { name: 'lost' })
          expect(await failureOf(update)).to.be.instanceOf(ReadOnlyScopeError)
        })
        await db.using('master', () => db.usingPrimary(find))
      }),
    )
    expect(sent).to.deep.equal({
      'master/r1': ['select client'],
      'russia/r1': ['select client'],
      master: ['select client'],
    })
  })

  it('[T1] a shard without the replica group of the scope is an error, not read elsewhere', async () => {
    const { db } = stage()
    const sent = await stage().sent(async () => {
      const error = await failureOf(() =>
        db.usingReplica({ group: 'fast' }, () => db.using('canada', find)),
      )
      expect(error).to.be.instanceOf(UnknownReplicaGroupError)
      expect(error).to.include({ shard: 'canada', replicaGroup: 'fast' })
    })
    expect(sent).to.deep.equal({})
  })

  it('[T13] a replica group inside a shard’s scope is that shard’s, and writes reach no server', async () => {
    const { db } = stage()
    const sent = await stage().sent(() =>
      db.using('russia', () =>
        db.usingReplica({ group: 'fast' }, async () => {
          await find()
          const update = () => db.manager.update(Client, 1, { name: 'lost' })
          expect(await failureOf(update)).to.be.instanceOf(ReadOnlyScopeError)
        }),
      ),
    )
    expect(sent).to.deep.equal({ 'russia/r1': ['select client'] })
  })

  it('[T14] a replica is no shard: nothing can be written to one', async () => {
    const { db } = stage()
    const sent = await stage().sent(async () => {
      const error = await failureOf(() =>
        db.using('russia-r2', () => db.manager.insert(Client, { name: 'lost' })),
      )
      expect(error).to.be.instanceOf(UnknownShardError)
      expect(error).to.have.property('message').that.includes('usingReplica inside using("russia"')
      const client = await db.using('russia', () =>
        db.usingReplica(() => db.manager.findOneByOrFail(Client, { id: 1 })),
      )
      client.name = 'renamed'
      await db.manager.save(client)
    })
    const { russia, ...replica } = sent
    expect(russia).to.deep.equal(['select client', 'begin', 'update client', 'commit'])
    expect(Object.values(replica)).to.deep.equal([['select client']])
  })

  it('[T14] a shard’s name does not choose its primary, usingPrimary does', async () => {
    const { db } = stage()
    const { master, ...replicas } = await stage().sent(() =>
      db.using('master', async () => {
        await find()
        await db.usingPrimary(find)
      }),
    )
    expect(master).to.deep.equal(['select client'])
    expect(Object.values(replicas)).to.deep.equal([['select client']])
  })

  it('[OLD] every read of a replica group’s scope goes to that group', async () => {
    const { db } = stage()
    const sent = await stage().sent(() =>
      db.using('russia', () =>
        db.usingReplica({ group: 'nightly' }, async () => {
          for (let turn = 0; turn < 4; turn += 1) await find()
        }),
      ),
    )
    expect(sent).to.deep.equal({ 'russia/r2': Array<string>(4).fill('select client') })
  })

  it('[G5] an inner replica group holds inside, the outer one again after it', async () => {
    const { db } = stage()
    const sent = await stage().sent(() =>
      db.usingReplica({ group: 'fast' }, async () => {
        await find()
        await db.usingReplica({ group: 'slow' }, () => db.manager.find(Item))
        await find()
      }),
    )
    expect(sent).to.deep.equal({
      'master/r1': ['select client', 'select client'],
      'master/r2': ['select item'],
    })
  })

  it('[G6] replica groups of one name are those of their shards', async () => {
    const { db } = stage()
    const sent = await stage().sent(() =>
      db.usingReplica({ group: 'fast' }, async () => {
        await db.using('master', find)
        await db.using('russia', () => db.manager.find(Item))
      }),
    )
    expect(sent).to.deep.equal({ 'master/r1': ['select client'], 'russia/r1': ['select item'] })
  })

  it('[FC] usingPrimary inside a replica scope reads and writes on the primary', async () => {
    const { db } = stage()
    const sent = await stage().sent(() =>
      db.usingReplica(() =>
        db.usingPrimary(async () => {
          await find()
          await db.manager.update(Client, 1, { name: 'renamed' })
        }),
      ),
    )
    expect(sent).to.deep.equal({ master: ['select client', 'update client'] })
  })
}
