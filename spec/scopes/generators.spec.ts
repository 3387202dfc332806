import { expect } from 'chai'
import { Column, DataSource, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm'
import { type ConnectionProxy, Shard, inBatches, octopus } from '../../lib/index.js'

@Entity()
class Item {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

@Entity()
class Seat {
  @PrimaryColumn({ type: 'text' }) hall!: string
  @PrimaryColumn({ type: 'int' }) place!: number
}

const shards = ['master', 'brazil', 'canada'] as const
const count = 7

const collected = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const values: T[] = []
  for await (const value of source) values.push(value)
  return values
}

describe('a generator', () => {
  let db: ConnectionProxy

  before(async () => {
    const own = { synchronize: true }
    db = octopus(new DataSource({ type: 'sqljs', entities: [Item, Seat], ...own }), {
      shards: { brazil: own, canada: own },
    })
    await db.initialize()
    for (const shard of shards)
      await db.using(shard, async () => {
        const names = Array.from({ length: count }, (_, index) => `${shard} ${index + 1}`)
        await db.manager.insert(
          Item,
          names.map((name) => ({ name })),
        )
        for (const hall of ['b', 'a'])
          for (const place of [2, 1, 3])
            await db.manager.insert(Seat, { hall: shard + hall, place })
      })
  })
  after(() => db.destroy())

  const shardHere = (): string => db.octopus.currentShard()

  class Reader {
    readonly dataSource = db

    @Shard('brazil')
    async *items(): AsyncGenerator<string, string> {
      yield shardHere()
      await Promise.resolve()
      const { name } = await db.manager.findOneByOrFail(Item, { id: 1 })
      yield name
      return shardHere()
    }

    @Shard((shard: string) => shard)
    *here(_shard: string): Generator<string> {
      yield shardHere()
      yield shardHere()
    }
  }

  it('runs on the shard of the scope that it was created in', async () => {
    const create = async function* (): AsyncGenerator<string> {
      yield shardHere()
      yield (await db.manager.findOneByOrFail(Item, { id: 2 })).name
    }
    const made = db.using('brazil', create)
    expect(await db.using('canada', () => collected(made))).to.deep.equal(['brazil', 'brazil 2'])
    expect(await collected(db.using('canada', () => db.using('brazil', create)))).to.deep.equal([
      'brazil',
      'brazil 2',
    ])
  })

  it('leaves the code that consumes it where that is', async () => {
    const seen: string[] = []
    await db.using('canada', async () => {
      for await (const value of new Reader().items()) {
        seen.push(value, shardHere())
        await Promise.resolve()
        seen.push(shardHere())
      }
    })
    expect(seen).to.deep.equal(['brazil', 'canada', 'canada', 'brazil 1', 'canada', 'canada'])
  })

  it('does so when it is synchronous, returned from or thrown into', async () => {
    const here = new Reader().here('canada')
    expect([...here]).to.deep.equal(['canada', 'canada'])
    const left: string[] = []
    const create = function* (): Generator<number> {
      try {
        yield 1
      } catch {
        left.push(`caught on ${shardHere()}`)
        yield 2
      } finally {
        left.push(`left on ${shardHere()}`)
      }
    }
    for (const _ of db.using('brazil', create)) break
    const thrownInto = db.using('brazil', create)
    thrownInto.next()
    expect(thrownInto.throw(new Error('x')).value).to.equal(2)
    thrownInto.return(undefined)
    expect(left).to.deep.equal(['left on brazil', 'caught on brazil', 'left on brazil'])
  })

  it('stays in a scope without a shard, which remembers writes', async () => {
    const create = async function* (): AsyncGenerator<string> {
      await db.manager.insert(Item, { name: 'late' })
      const { events } = await db.octopus.withTrace(() => db.manager.count(Item))
      await db.manager.delete(Item, { name: 'late' })
      yield events.map(({ reason }) => reason).join()
    }
    const made = db.octopus.scope(create)
    expect(await collected(made)).to.deep.equal(['read your writes'])
  })

  it('tells a consumer who collects the trace what it sends', async () => {
    const create = async function* (): AsyncGenerator<string> {
      yield (await db.manager.findOneByOrFail(Item, { id: 1 })).name
    }
    const made = db.using('brazil', create)
    const { value, events } = await db.octopus.withTrace(() => collected(made))
    expect(value).to.deep.equal(['brazil 1'])
    expect(events.map(({ shard }) => shard)).to.deep.equal(['brazil'])
  })

  it('keeps the pin of a role scope', async () => {
    const create = async function* (): AsyncGenerator<string> {
      const { events } = await db.octopus.withTrace(() => db.manager.count(Item))
      yield events.map(({ shard, reason }) => `${shard} ${reason}`).join()
    }
    expect(await collected(db.using('brazil', () => db.usingPrimary(create)))).to.deep.equal([
      'brazil pinned to primary',
    ])
  })

  describe('of batches', () => {
    const names = (batches: readonly Item[][]): string[][] =>
      batches.map((batch) => batch.map(({ name }) => name))

    it('finds all in the order of the primary key, a batch by a query', async () => {
      const { value, events } = await db.octopus.withTrace(() =>
        collected(inBatches(db.getRepository(Item), { size: 3 })),
      )
      expect(names(value)).to.deep.equal([
        ['master 1', 'master 2', 'master 3'],
        ['master 4', 'master 5', 'master 6'],
        ['master 7'],
      ])
      expect(events).to.have.length(3)
      expect(db.octopus.shardOf(value[0]![0]!)).to.equal('master')
    })

    it('stays where it was created, in a scope, on a handle and in none', async () => {
      const items = db.getRepository(Item)
      const made = [
        db.using('brazil', () => inBatches(items, { size: 4 })),
        inBatches(db.shard('canada').getRepository(Item), { size: 4 }),
        inBatches(items, { size: 4 }),
      ]
      for (const [index, shard] of ['brazil', 'canada', 'master'].entries()) {
        const found = await db.using('canada', () => collected(made[index]!))
        expect(names(found).flat()).to.deep.equal(
          Array.from({ length: count }, (_, at) => `${shard} ${at + 1}`),
        )
      }
    })

    it('takes conditions and composite keys, and ends at an exact multiple', async () => {
      const some = db.using('brazil', () =>
        inBatches(db.getRepository(Item), {
          where: [{ name: 'brazil 2' }, { name: 'brazil 6' }],
          size: 1,
        }),
      )
      expect(names(await collected(some))).to.deep.equal([['brazil 2'], ['brazil 6']])
      const seats = db.using('brazil', () => inBatches(db.getRepository(Seat), { size: 2 }))
      expect((await collected(seats)).flat().map(({ hall, place }) => hall + place)).to.deep.equal([
        'brazila1',
        'brazila2',
        'brazila3',
        'brazilb1',
        'brazilb2',
        'brazilb3',
      ])
      const none = inBatches(db.getRepository(Item), { where: { name: 'nobody' } })
      expect(await collected(none)).to.deep.equal([])
    })

    it('sees a transaction', async () => {
      await db.using('brazil', () =>
        db.transaction(async (manager) => {
          await manager.save(Object.assign(new Item(), { name: 'late' }))
          const found = await collected(inBatches(manager.getRepository(Item), { size: 5 }))
          expect(names(found).flat()).to.include('late')
          await manager.delete(Item, { name: 'late' })
        }),
      )
    })

    it('refuses a size that is none, at once', () => {
      for (const size of [0, -1, 1.5, Number.NaN])
        expect(() => inBatches(db.getRepository(Item), { size })).to.throw(RangeError, String(size))
    })
  })
})
