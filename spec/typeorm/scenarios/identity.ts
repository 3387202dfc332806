import { expect } from 'chai'
import { DataSource, InstanceChecker, Repository, TreeRepository } from 'typeorm'
import { Author, Place } from '../../support/entities/index.js'
import { type Scenario, scenario } from './scenario.js'

/** What a wrapped data source is to whoever looks at it, and many scopes at once. */
export const identity: readonly Scenario[] = [
  scenario(33, 'a wrapped data source passes for a DataSource', async (bed) => {
    const { db } = bed
    expect(await Promise.resolve(db)).to.equal(db)
    for (const source of [db, db.shard('s1'), db.shard('s2')]) {
      expect(source).to.be.instanceOf(DataSource)
      expect(source.constructor.name).to.equal('DataSource')
      expect(InstanceChecker.isDataSource(source)).to.equal(true)
      expect((source as unknown as Record<string, unknown>)['then']).to.equal(undefined)
      expect(source.query).to.have.length(3)
      expect(source.createQueryBuilder).to.have.length(3)
    }
    const plain = new DataSource({ ...db.options })
    const spread = (source: object): Partial<DataSource> => ({ ...source })
    expect(Object.keys(spread(db))).to.include.members(Object.keys(spread(plain)))
    expect(spread(db).manager).to.equal(db.manager)
    expect(db.getRepository(Author)).to.be.instanceOf(Repository)
    expect(db.getRepository(Author).target).to.equal(Author)
    expect(db.using('s1', () => db.getTreeRepository(Place))).to.be.instanceOf(TreeRepository)
  }),

  scenario(33, 'options, driver and metadata are those of the shard of the scope', async (bed) => {
    const { db } = bed
    for (const shard of ['master', 's1', 's2'] as const) {
      const view = db.shard(shard)
      expect(view.options.type).to.equal(bed.engineOf(shard))
      db.using(shard, () => {
        expect(db.driver).to.equal(view.driver)
        expect(db.options).to.equal(view.options)
        expect({ ...db.options }.type).to.equal(bed.engineOf(shard))
        expect(db.getMetadata(Author)).to.equal(view.getMetadata(Author))
        expect(db.entityMetadatas).to.have.length(view.entityMetadatas.length)
      })
    }
    expect(db.driver).to.equal(db.shard('master').driver)
  }),

  scenario(22, '40 scopes at once stay apart', async (bed) => {
    const { db, captured } = bed
    const shards = ['master', 's1', 's2'] as const
    const tasks = Array.from({ length: 40 }, (_, index) => ({
      name: `task ${String(index).padStart(2, '0')}`,
      shard: shards[index % 3]!,
      other: shards[(index + 1) % 3]!,
    }))
    const faults: string[] = []
    const check = (is: boolean, fault: string): void => void (is || faults.push(fault))
    const task = ({ name, shard, other }: (typeof tasks)[number]) =>
      db.using(shard, async () => {
        await captured.authors.insert({ name })
        const first = await captured.manager.findOneByOrFail(Author, { id: 1 })
        check(first.name === `Ana of ${shard}`, `${name}: ${first.name} on ${shard}`)
        const posts = await db.using(other, async () => {
          const author = await captured.authors.findOneByOrFail({ id: 1 })
          check(author.name === `Ana of ${other}`, `${name}: ${author.name} on ${other}`)
          return first.posts
        })
        check(posts[0]?.title.endsWith(shard) ?? false, `${name}: ${String(posts[0]?.title)}`)
        const own = await captured.authors.countBy({ name })
        check(own === 1, `${name}: ${String(own)} rows of its own`)
      })
    const statements = await bed.statementsDuring(() => Promise.all(tasks.map(task)))
    expect(faults).to.deep.equal([])

    const count = (shard: string, key: 'shard' | 'other') =>
      tasks.filter((each) => each[key] === shard).length
    for (const shard of shards) {
      const counts: Record<string, number> = {}
      for (const words of statements[shard] ?? []) counts[words] = (counts[words] ?? 0) + 1
      expect(counts, shard).to.deep.equal({
        'insert author': count(shard, 'shard'),
        'select author': count(shard, 'shard') * 2 + count(shard, 'other'),
        'select post': count(shard, 'shard'),
      })
    }
    expect(Object.keys(statements)).to.have.members(shards)
    const names = await bed.across("SELECT name FROM author WHERE name LIKE 'task%' ORDER BY name")
    expect(names).to.deep.equal(
      Object.fromEntries(
        shards.map((shard) => [
          shard,
          tasks.filter((each) => each.shard === shard).map(({ name }) => name),
        ]),
      ),
    )
  }),
]
