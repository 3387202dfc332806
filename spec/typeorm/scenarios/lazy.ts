import { expect } from 'chai'
import { Author, Post, Remark } from '../../support/entities/index.js'
import { type Scenario, scenario } from './scenario.js'

const titles = (posts: readonly Post[]): string[] => posts.map(({ title }) => title).toSorted()

/** Relations that load when they are first read. */
export const lazyRelations: readonly Scenario[] = [
  scenario(7, "a relation read after the scope comes from its owner's shard", async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      const author = await db.using('s1', () => db.manager.findOneByOrFail(Author, { id: 1 }))
      expect(titles(await author.posts)).to.deep.equal(['First of s1', 'Second of s1'])
      const [post] = await db.using('s2', () => db.getRepository(Post).find({ order: { id: 1 } }))
      expect(await post?.author).to.include({ name: 'Ana of s2' })
    })
    expect(statements).to.deep.equal({
      s1: ['select author', 'select post'],
      s2: ['select post', 'select author'],
    })
  }),

  scenario(8, "a relation read inside another scope comes from its owner's shard", async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      const author = await db.using('s1', () => db.manager.findOneByOrFail(Author, { id: 1 }))
      const posts = await db.using('s2', () => author.posts)
      expect(titles(posts)).to.deep.equal(['First of s1', 'Second of s1'])
      const own = await db.manager.findOneByOrFail(Author, { id: 1 })
      expect(titles(await db.using('s2', () => own.posts))).to.deep.equal([
        'First of master',
        'Second of master',
      ])
    })
    expect(statements).to.deep.equal({
      s1: ['select author', 'select post'],
      master: ['select author', 'select post'],
    })
  }),

  scenario(9, 'what a relation loaded is at home where its owner is', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      const author = await db.using('s1', () => db.manager.findOneByOrFail(Author, { id: 1 }))
      const post = (await author.posts).find(({ id }) => id === 1)
      const remarks = (await db.using('s2', () => post?.remarks)) ?? []
      expect(remarks.map(({ text }) => text).toSorted()).to.deep.equal(['No of s1', 'Yes of s1'])
      expect(await remarks[0]?.post).to.include({ title: 'First of s1' })
      expect(db.octopus.shardOf(remarks[0]!)).to.equal('s1')
    })
    expect(statements).to.deep.equal({
      s1: ['select author', 'select post', 'select remark', 'select post'],
    })
  }),

  scenario(10, 'a new entity reads its relations where it was saved', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      const post = new Post()
      post.title = 'new'
      await db.using('s1', async () => {
        await db.manager.save(post)
        await db.manager.insert(Remark, { text: 'hm', post: { id: post.id } as never })
        expect((await post.remarks).map(({ text }) => text)).to.deep.equal(['hm'])
      })
    })
    expect(statements).to.deep.equal({
      s1: ['begin', 'insert post', 'commit', 'insert remark', 'select remark'],
    })
    expect(await bed.added('remark', 'text')).to.deep.equal({ s1: ['hm'] })
  }),

  scenario(
    10,
    'a new entity reads its relations where it was saved, after the scope',
    async (bed) => {
      const { db } = bed
      const post = new Post()
      post.title = 'new'
      await db.using('s1', async () => {
        await db.manager.save(post)
        await db.manager.insert(Remark, { text: 'hm', post: { id: post.id } as never })
      })
      const statements = await bed.statementsDuring(async () => {
        const remarks = await db.using('s2', () => post.remarks)
        expect(remarks.map(({ text }) => text)).to.deep.equal(['hm'])
      })
      expect(statements).to.deep.equal({ s1: ['select remark'] })
    },
  ),

  scenario(10, 'an entity that was never saved reads its relations in the scope', async (bed) => {
    const { db } = bed
    const bare = () => Object.assign(new Author(), { id: 1 })
    const statements = await bed.statementsDuring(async () => {
      expect(titles(await db.using('s1', () => bare().posts))).to.deep.equal([
        'First of s1',
        'Second of s1',
      ])
      expect(titles(await bare().posts)).to.deep.equal(['First of master', 'Second of master'])
    })
    expect(statements).to.deep.equal({ s1: ['select post'], master: ['select post'] })
  }),

  scenario(11, 'a query without listeners yields entities that know their shard', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      const author = await db.using('s1', () =>
        db
          .createQueryBuilder(Author, 'author')
          .callListeners(false)
          .where({ id: 1 })
          .getOneOrFail(),
      )
      expect(titles(await author.posts)).to.deep.equal(['First of s1', 'Second of s1'])
    })
    expect(statements).to.deep.equal({ s1: ['select author', 'select post'] })
  }),

  scenario(9, 'a joined entity knows its shard', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      const post = await db.using('s1', () =>
        db
          .createQueryBuilder(Post, 'post')
          .leftJoinAndSelect('post.remarks', 'remark')
          .where('post.id = 1')
          .getOneOrFail(),
      )
      const [remark] = await post.remarks
      expect(await db.using('s2', () => remark?.post)).to.include({ title: 'First of s1' })
    })
    expect(statements).to.deep.equal({ s1: ['select post', 'select post'] })
  }),

  scenario(20, 'an entity goes home when it is saved inside another scope', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      const author = await db.using('s1', () => db.manager.findOneByOrFail(Author, { id: 1 }))
      author.name = 'renamed'
      await db.using('s2', () => db.manager.save(author))
      const other = await db.using('s1', () => db.manager.findOneByOrFail(Author, { id: 2 }))
      await db.using('s2', () => db.manager.remove(other))
    })
    expect(statements).to.deep.equal({
      s1: [
        ['select author', 'select author', 'begin', 'update author', 'commit'],
        ['select author', 'select author', 'begin', 'delete author', 'commit'],
      ].flat(),
    })
    expect(await bed.across('SELECT name FROM author ORDER BY id')).to.deep.equal({
      master: ['Ana of master', 'Bo of master'],
      s1: ['renamed'],
      s2: ['Ana of s2', 'Bo of s2'],
      s3: ['Ana of s3', 'Bo of s3'],
    })
  }),

  scenario(21, 'an entity goes home when it is saved after the scope', async (bed) => {
    const { db } = bed
    const statements = await bed.statementsDuring(async () => {
      const loaded = await db.using('s1', () => db.manager.findOneByOrFail(Author, { id: 1 }))
      loaded.name = 'renamed'
      await db.getRepository(Author).save(loaded)
      const saved = await db.using('s2', () => db.manager.save(Author, { name: 'new' }))
      saved.name = 'newer'
      await db.manager.save(Author, saved)
    })
    expect(statements).to.deep.equal({
      s1: ['select author', 'select author', 'begin', 'update author', 'commit'],
      s2: [
        ['begin', 'insert author', 'commit'],
        ['select author', 'begin', 'update author', 'commit'],
      ].flat(),
    })
    expect(await bed.added('author', 'name')).to.deep.equal({ s2: ['newer'] })
    expect(await bed.column('s1', 'SELECT name FROM author WHERE id = 1')).to.deep.equal([
      'renamed',
    ])
  }),

  scenario(
    20,
    'entities of two shards are not saved together, nor by a foreign handle',
    async (bed) => {
      const { db } = bed
      const load = (shard: string) =>
        db.using(shard, () => db.manager.findOneByOrFail(Author, { id: 1 }))
      const [ana, other] = [await load('s1'), await load('s2')]
      const code = (work: () => Promise<unknown>) =>
        work().then(
          () => 'no error',
          (error: { code: string }) => error.code,
        )
      ana.name = other.name = 'changed'
      const statements = await bed.statementsDuring(async () => {
        expect(await code(() => db.manager.save([ana, other]))).to.equal('cross-shard')
        expect(await code(() => db.shard('s2').manager.save(ana))).to.equal('cross-shard')
        expect(await code(() => db.shard('s2').manager.remove(ana))).to.equal('cross-shard')
      })
      expect(statements).to.deep.equal({})
    },
  ),
]
