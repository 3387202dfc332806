import { expect } from 'chai'
import { Account, Author, Place } from '../../support/entities/index.js'
import { type Scenario, scenario } from './scenario.js'

/** Objects made when the program started, outside every scope. */
export const capturedObjects: readonly Scenario[] = [
  scenario(1, 'a manager from the start follows the scope', async (bed) => {
    const { db, captured } = bed
    const read: (string | undefined)[] = []
    const statements = await bed.statementsDuring(async () => {
      for (const shard of ['s1', 's2'])
        await db.using(shard, async () => {
          read.push((await captured.manager.findOneBy(Author, { id: 1 }))?.name)
          await captured.manager.save(Author, { name: `new on ${shard}` })
        })
      read.push((await captured.manager.findOneBy(Author, { id: 1 }))?.name)
    })
    expect(read).to.deep.equal(['Ana of s1', 'Ana of s2', 'Ana of master'])
    expect(statements).to.deep.equal({
      master: ['select author'],
      s1: ['select author', 'begin', 'insert author', 'commit'],
      s2: ['select author', 'begin', 'insert author', 'commit'],
    })
    expect(await bed.added('author', 'name')).to.deep.equal({
      s1: ['new on s1'],
      s2: ['new on s2'],
    })
  }),

  scenario(2, 'a repository from the start follows the scope', async (bed) => {
    const { authors } = bed.captured
    const statements = await bed.statementsDuring(() =>
      bed.db.using('s1', async () => {
        await authors.insert({ name: 'inserted' })
        await authors.update({ id: 1 }, { name: 'renamed' })
        await authors.delete({ id: 2 })
        expect(await authors.count()).to.equal(2)
        expect(await authors.exists({ where: { name: 'renamed' } })).to.equal(true)
        expect((await authors.findAndCount({ where: { id: 1 } }))[1]).to.equal(1)
      }),
    )
    expect(statements).to.deep.equal({
      s1: [
        'insert author',
        'update author',
        'delete author',
        'select author',
        'select author',
        // TypeORM counts only where a page may be missing something.
        'select author',
      ],
    })
    expect(await bed.across('SELECT name FROM author ORDER BY id')).to.deep.equal({
      master: ['Ana of master', 'Bo of master'],
      s1: ['renamed', 'inserted'],
      s2: ['Ana of s2', 'Bo of s2'],
      s3: ['Ana of s3', 'Bo of s3'],
    })
  }),

  scenario(3, 'a repository taken inside a scope serves the default shard outside', async (bed) => {
    const authors = bed.db.using('s1', () => bed.db.getRepository(Author))
    const statements = await bed.statementsDuring(async () => {
      expect(await authors.findOneByOrFail({ id: 1 })).to.include({ name: 'Ana of master' })
      await authors.save({ name: 'outside' })
    })
    expect(statements).to.deep.equal({
      master: ['select author', 'begin', 'insert author', 'commit'],
    })
    expect(await bed.added('author', 'name')).to.deep.equal({ master: ['outside'] })
  }),

  scenario(4, 'an extended repository from the start follows the scope', async (bed) => {
    const { extended } = bed.captured
    const statements = await bed.statementsDuring(async () => {
      const found = await bed.db.using('s2', () => extended.named('Ana of s2'))
      expect(found).to.include({ id: 1 })
      expect(await extended.named('Ana of s2')).to.equal(null)
    })
    expect(statements).to.deep.equal({ s2: ['select author'], master: ['select author'] })
  }),

  scenario(5, 'a repository class made with createEntityManager follows the scope', async (bed) => {
    const { desk } = bed.captured
    const statements = await bed.statementsDuring(async () => {
      await bed.db.using('s1', () => desk.hire('Di'))
      expect(await bed.db.using('s2', () => desk.countBy({ name: 'Di' }))).to.equal(0)
    })
    expect(statements).to.deep.equal({
      s1: ['begin', 'insert author', 'commit'],
      s2: ['select author'],
    })
    expect(await bed.added('author', 'name')).to.deep.equal({ s1: ['Di'] })
  }),

  scenario(6, "BaseEntity's static and instance methods follow the scope", async (bed) => {
    const statements = await bed.statementsDuring(async () => {
      await bed.db.using('s1', async () => {
        const account = Account.create({ holder: 'Eve' })
        await account.save()
        account.holder = 'Eve the second'
        await account.save()
        await account.reload()
        expect(await Account.find({ order: { id: 'ASC' } })).to.deep.equal([
          Object.assign(new Account(), { id: 1, holder: 'Cy of s1' }),
          account,
        ])
      })
      expect(await Account.countBy({})).to.equal(1)
      await bed.db.using('s2', async () => (await Account.findOneByOrFail({ id: 1 })).remove())
    })
    expect(statements).to.deep.equal({
      s1: [
        ['begin', 'insert account', 'commit'],
        ['select account', 'begin', 'update account', 'commit'],
        ['select account', 'select account'],
      ].flat(),
      master: ['select account'],
      s2: ['select account', 'select account', 'begin', 'delete account', 'commit'],
    })
    expect(await bed.across('SELECT holder FROM account ORDER BY id')).to.deep.equal({
      master: ['Cy of master'],
      s1: ['Cy of s1', 'Eve the second'],
      s3: ['Cy of s3'],
    })
  }),

  scenario(23, 'a tree repository from the start follows the scope', async (bed) => {
    const { places } = bed.captured
    const statements = await bed.statementsDuring(async () => {
      await bed.db.using('s1', async () => {
        const world = await places.findOneByOrFail({ id: 1 })
        await places.save({ name: 'Europe', parent: world })
        const [tree] = await places.findTrees()
        expect(tree?.name).to.equal('world of s1')
        expect(tree?.children.map(({ name }) => name)).to.deep.equal(['Europe'])
        expect(await places.countDescendants(world)).to.equal(2)
      })
      const [tree] = await places.findTrees()
      expect(tree).to.deep.include({ name: 'world of master', children: [] })
    })
    expect(Object.keys(statements).toSorted()).to.deep.equal(['master', 's1'])
    expect(statements['master']).to.deep.equal(['select place', 'select place'])
    expect(statements['s1']?.filter((statement) => /insert/.test(statement))).to.deep.equal([
      'insert place',
      'insert place_closure',
      'insert place_closure',
    ])
    expect(await bed.added('place', 'name')).to.deep.equal({ s1: ['Europe'] })
    const links = 'SELECT id_descendant FROM place_closure WHERE id_descendant > 1 ORDER BY 1'
    const [links1, ...others] = Object.entries(await bed.across(links))
    expect(links1?.[0]).to.equal('s1')
    expect(links1?.[1]).to.have.length(2)
    expect(others).to.deep.equal([])
  }),

  scenario(23, 'a tree is read and written on the shard of a handle', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      const places = db.shard('s2').getTreeRepository(Place)
      const world = await places.findOneByOrFail({ id: 1 })
      const asia = await places.save({ name: 'Asia', parent: world })
      const ancestors = await db.using('s1', () => places.findAncestors(asia as Place))
      expect(ancestors.map(({ name }) => name)).to.have.members(['world of s2', 'Asia'])
    })
    expect(Object.keys(statements)).to.deep.equal(['s2'])
    expect(await bed.added('place', 'name')).to.deep.equal({ s2: ['Asia'] })
  }),
]
