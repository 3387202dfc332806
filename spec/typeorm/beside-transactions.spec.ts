import { expect } from 'chai'
import {
  Column,
  DataSource,
  Entity,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm'
import { type ConnectionProxy, octopus } from '../../lib/index.js'

@Entity('beside_owner')
class Owner {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @OneToMany('Pet', 'owner') pets!: Promise<Relation<Pet>[]>
}

@Entity('beside_pet')
class Pet {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @ManyToOne(() => Owner, (owner) => owner.pets) owner?: Relation<Owner>
}

/** SQLite's runners share one connection, and its transaction. */
describe('beside a transaction on SQLite', () => {
  let db: ConnectionProxy

  before(async () => {
    const own = { synchronize: true }
    const entities = [Owner, Pet]
    db = octopus(new DataSource({ type: 'sqljs', entities, ...own }), {
      shards: {
        brazil: { ...own, replicas: [{ name: 'r1' }] },
        canada: { ...own, replicas: [{ name: 'r2' }] },
      },
    })
    await db.initialize()
  })
  after(() => db.destroy())

  const reasonOf = async (shard: string): Promise<string> => {
    const { events } = await db.octopus.withTrace(() =>
      db.using(shard, () => db.manager.count(Owner).catch(() => 0)),
    )
    return events.map(({ reason }) => reason).join()
  }

  it('a write that does not use its manager counts, though another runner commits', async () => {
    await db.octopus.scope(async () => {
      await db.shard('brazil').transaction(async () => {
        await db.manager.insert(Owner, { name: 'Ana' })
      })
      expect(await reasonOf('brazil')).to.equal('read your writes')
    })
  })

  it('a relation of an entity that it loaded is read from its home, after it has ended', async () => {
    const ana = await db
      .shard('brazil')
      .transaction((manager) => manager.save(Object.assign(new Owner(), { name: 'Ana' })))
    const found = await db
      .shard('brazil')
      .transaction((manager) => manager.findOneByOrFail(Owner, { id: ana.id }))
    const { events } = await db.octopus.withTrace(() =>
      db.using('canada', () => db.usingPrimary(() => found.pets)),
    )
    expect(events.map(({ shard, shardReason }) => `${shard} ${shardReason}`)).to.deep.equal([
      'brazil home',
    ])
  })

  it('reads of both shards are on primaries, where one is inside the other', async () => {
    await db.shard('brazil').transaction(() =>
      db.shard('canada').transaction(async () => {
        expect([await reasonOf('brazil'), await reasonOf('canada')]).to.deep.equal([
          'transaction',
          'transaction',
        ])
      }),
    )
  })
})
