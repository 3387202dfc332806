import { expect } from 'chai'
import {
  AfterLoad,
  BaseEntity,
  BeforeInsert,
  Brackets,
  ChildEntity,
  Column,
  DataSource,
  type DataSourceOptions,
  DeleteDateColumn,
  Entity,
  type EntityManager,
  EntitySchema,
  In,
  JoinTable,
  ManyToMany,
  ManyToOne,
  Not,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
  TableInheritance,
  Tree,
  TreeChildren,
  TreeParent,
} from 'typeorm'
import { type ConnectionProxy, CrossShardError, octopus } from '../../lib/index.js'
import { describeOnEachEngine } from '../support/three-shards.js'

/** Where the listeners of an author saw that it is at home. */
const seenByListeners: (string | undefined)[] = []
let control: ConnectionProxy['octopus']

@Entity()
class Author extends BaseEntity {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @Column({ default: 0 }) likes!: number
  @DeleteDateColumn() deletedAt?: Date | null
  @OneToMany('Book', 'author') books?: Relation<Book>[]
  @ManyToMany('Label') @JoinTable() labels?: Relation<Label>[]

  @BeforeInsert() noteInsert(): void {
    seenByListeners.push(control.shardOf(this))
  }
  @AfterLoad() noteLoad(): void {
    seenByListeners.push(control.shardOf(this))
  }
}

@Entity()
class Book {
  @PrimaryGeneratedColumn() id!: number
  @Column() title!: string
  @ManyToOne(() => Author, (author) => author.books) author?: Relation<Author> | null
}

@Entity()
class Label {
  @PrimaryGeneratedColumn() id!: number
  @Column() text!: string
}

@Entity()
@Tree('materialized-path')
class Place {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @TreeParent() parent?: Place | null
  @TreeChildren({ cascade: true }) children!: Place[]
}

@Entity()
@TableInheritance({ column: { name: 'kind', type: 'varchar' } })
class Paper {
  @PrimaryGeneratedColumn() id!: number
}

@ChildEntity()
class Newspaper extends Paper {
  @Column() title!: string
}

interface Widget {
  id: number
  name: string
}
const WidgetSchema = new EntitySchema<Widget>({
  name: 'widget',
  columns: { id: { type: Number, primary: true, generated: true }, name: { type: String } },
})

const named = <E extends object>(entity: new () => E, fields: Partial<E>): E =>
  Object.assign(new entity(), fields)

describeOnEachEngine('an operation that names an entity', (shards) => {
  let db: ConnectionProxy

  before(async () => {
    const { connection, brazil, canada } = shards()
    const own = { synchronize: true }
    const entities = [Author, Book, Label, Place, Paper, Newspaper, WidgetSchema]
    const invalidWhereValuesBehavior = { null: 'ignore' } as const
    const settings = { entities, invalidWhereValuesBehavior, ...own }
    db = octopus(new DataSource({ ...connection, ...settings } as DataSourceOptions), {
      shards: { brazil: { ...brazil, ...own }, canada: { ...canada, ...own } },
    })
    control = db.octopus
    await db.initialize()
  })
  after(() => db.destroy())

  const saved = <E extends object>(shard: string, entity: E): Promise<E> =>
    db.using(shard, () => db.manager.save(entity))
  const author = (shard: string): Promise<Author> => saved(shard, named(Author, { name: 'Ana' }))
  const book = (shard: string): Promise<Book> => saved(shard, named(Book, { title: 'One' }))

  /** Where statements of `work` went, and why: `brazil home`. */
  const routes = async (work: () => unknown): Promise<readonly string[]> => {
    const { events } = await db.octopus.withTrace(async () => void (await work()))
    return [...new Set(events.map(({ shard, shardReason }) => `${shard} ${shardReason}`))]
  }
  const refused = async (work: () => unknown): Promise<CrossShardError> => {
    const { value, events } = await db.octopus.withTrace(async () => {
      try {
        await work()
        return undefined
      } catch (error) {
        return error
      }
    })
    const statements = events.map(({ statement }) => statement)
    expect(statements.filter((word) => !/^(BEGIN|START|ROLLBACK)$/.test(word))).to.deep.equal([])
    expect(value).to.be.instanceOf(CrossShardError)
    return value as CrossShardError
  }

  let label: Label
  before(async () => {
    label = await saved('brazil', named(Label, { text: 'x' }))
  })

  const operations: Readonly<Record<string, (ana: Author) => unknown>> = {
    save: (ana) => db.manager.save(Object.assign(ana, { name: 'Bia' })),
    'save of an instance': (ana) => Object.assign(ana, { name: 'Cia' }).save(),
    softRemove: (ana) => db.manager.softRemove(ana),
    recover: (ana) => db.manager.recover(ana),
    reload: (ana) => ana.reload(),
    update: (ana) => db.manager.update(Author, ana as object, { name: 'Dia' }),
    'update of a relation': (ana) => db.manager.update(Book, { id: 1 }, { author: ana }),
    increment: (ana) => db.manager.increment(Author, ana as object, 'likes', 1),
    decrement: (ana) => db.getRepository(Author).decrement(ana as object, 'likes', 1),
    softDelete: (ana) => db.manager.softDelete(Author, ana),
    restore: (ana) => db.manager.restore(Author, ana),
    insert: (ana) => db.manager.insert(Book, { title: 'Two', author: ana }),
    upsert: (ana) => db.manager.upsert(Book, { id: 7, title: 'Two', author: ana }, ['id']),
    preload: (ana) => db.manager.preload(Author, ana),
    find: (ana) => db.manager.findBy(Book, { author: ana }),
    'find with a list': (ana) => db.manager.find(Book, { where: [{ author: ana }, { id: 3 }] }),
    count: (ana) => db.getRepository(Book).countBy({ author: ana }),
    exists: (ana) => db.manager.existsBy(Book, { author: ana }),
    sum: (ana) => db.manager.sum(Book, 'id', { author: ana }),
    'a builder with criteria': (ana) =>
      db
        .createQueryBuilder(Author, 'a')
        .where({ id: Not(0), name: ana.name })
        .andWhere(ana)
        .getMany(),
    'a builder with brackets': (ana) =>
      db
        .createQueryBuilder(Book, 'b')
        .where(new Brackets((inside) => inside.where({ author: ana }).orWhere('b.id = 0')))
        .getMany(),
    'a builder with a subquery': (ana) =>
      db
        .createQueryBuilder(Book, 'b')
        .where((query) => {
          const found = query.subQuery().select('a.id').from(Author, 'a').where({ name: ana.name })
          return `b.authorId IN ${found.andWhere(ana).getQuery()}`
        })
        .getMany(),
    'a builder for an entity': (ana) =>
      db.createQueryBuilder().update(Author).set({ name: 'Eva' }).whereEntity(ana).execute(),
    'relation of': (ana) => db.createQueryBuilder().relation(Author, 'books').of(ana).loadMany(),
    'relation add': async (ana) => {
      await db.createQueryBuilder().relation(Author, 'labels').of(ana).add(label)
      await db.createQueryBuilder().relation(Author, 'labels').of(ana.id).remove(label)
    },
    delete: (ana) => db.manager.delete(Author, ana),
    remove: (ana) => db.manager.remove(ana),
  }
  for (const [operation, work] of Object.entries(operations))
    it(`${operation} goes to its home, in no scope and in another one`, async () => {
      const ana = await author('brazil')
      expect(await routes(() => work(ana))).to.deep.equal(['brazil home'])
      const bia = await author('brazil')
      expect(await routes(() => db.using('canada', () => work(bia)))).to.deep.equal(['brazil home'])
    })

  it('is refused on a handle, in a transaction and on a runner of another shard', async () => {
    const ana = await author('brazil')
    const refusals: readonly ((manager: EntityManager) => unknown)[] = [
      (manager) => manager.insert(Book, { title: 'x', author: ana }),
      (manager) => manager.update(Author, ana as object, { name: 'x' }),
      (manager) => manager.increment(Author, ana as object, 'likes', 1),
      (manager) => manager.preload(Author, ana),
      (manager) => manager.findBy(Book, { author: ana }),
      (manager) => manager.createQueryBuilder().relation(Author, 'books').of(ana).add(1),
    ]
    for (const work of refusals) {
      const error = await refused(() => work(db.shard('canada').manager))
      expect(error.shards).to.deep.equal(['canada', 'brazil'])
      await refused(() =>
        db.shard('canada').transaction(async (manager) => void (await work(manager))),
      )
      const runner = db.shard('canada').createQueryRunner()
      await refused(() => work(runner.manager))
      await runner.release()
    }
  })

  it('is refused with entities of two shards, naming both', async () => {
    const ana = await author('brazil')
    const one = await book('canada')
    for (const work of [
      () => db.createQueryBuilder().relation(Author, 'books').of(ana).add(one),
      () => db.createQueryBuilder().relation(Author, 'books').of(ana).remove([one]),
      () => db.createQueryBuilder().relation(Book, 'author').of(one).set(ana),
      () => db.createQueryBuilder().relation(Author, 'books').of(ana).addAndRemove([], [one]),
      () => db.manager.update(Book, one, { author: ana }),
      () => db.manager.insert(Book, Object.assign(one, { author: ana })),
      () => db.manager.findBy(Book, [{ author: ana }, one as object]),
      () =>
        db
          .createQueryBuilder(Book, 'b')
          .where(one)
          .andWhere({ author: In([ana]) })
          .getMany(),
    ]) {
      const error = await refused(work)
      expect(error.message).to.include('Author').and.include('Book').and.include('shardOf')
      expect([...error.shards].toSorted()).to.deep.equal(['brazil', 'canada'])
    }
  })

  it('keeps builders that it was named to from running elsewhere', async () => {
    const ana = await author('brazil')
    const runner = db.shard('canada').createQueryRunner()
    const query = db.createQueryBuilder(Author, 'a').where(ana)
    await refused(() => query.setQueryRunner(runner).getMany())
    await runner.release()
  })

  describe('and makes or reads others', () => {
    it('gives what was inserted its home, and leaves literals alone', async () => {
      const ana = named(Author, { name: 'Ana' })
      const literal = { name: 'Bia' }
      await db.using('brazil', () => db.manager.insert(Author, [ana, literal as Author]))
      expect(db.octopus.shardOf(ana)).to.equal('brazil')
      expect(db.octopus.shardOf(literal)).to.equal(undefined)
      const built = named(Author, { name: 'Cia' })
      await db.using('canada', () =>
        db.createQueryBuilder().insert().into(Author).values(built).execute(),
      )
      expect(db.octopus.shardOf(built)).to.equal('canada')
      const upserted = named(Author, { id: 900, name: 'Dia' })
      await db.using('canada', () => db.manager.upsert(Author, upserted, ['id']))
      expect(db.octopus.shardOf(upserted)).to.equal('canada')
    })

    it('records no home of what could not be saved or inserted', async () => {
      const lost = named(Author, { id: 5000, name: null as never })
      await db.using('brazil', () => db.manager.save(lost).catch(() => undefined))
      await db.using('brazil', () => db.manager.insert(Author, lost).catch(() => undefined))
      expect(db.octopus.shardOf(lost)).to.equal(undefined)
    })

    it('records a home of what is created in a scope or on a handle only', async () => {
      const { manager } = db
      expect(db.octopus.shardOf(manager.create(Author, { name: 'x' }))).to.equal(undefined)
      expect(db.octopus.shardOf(manager.merge(Author, new Author(), { name: 'x' }))).to.equal(
        undefined,
      )
      db.using('brazil', () => {
        expect(db.octopus.shardOf(manager.create(Author))).to.equal('brazil')
        expect(db.octopus.shardOf(manager.merge(Author, new Author(), {}))).to.equal('brazil')
        const [one] = manager.create(Author, [{ name: 'x' }])
        expect(db.octopus.shardOf(one!)).to.equal('brazil')
        const onCanada = db.shard('canada').manager.create(Author, { books: [{ title: 'y' }] })
        expect(db.octopus.shardOf(onCanada)).to.equal('canada')
        expect(db.octopus.shardOf(onCanada.books![0]!)).to.equal('canada')
      })
      await db.using('canada', () =>
        db.transaction(async (inCanada) => {
          expect(db.octopus.shardOf(inCanada.create(Author, { name: 'x' }))).to.equal('canada')
        }),
      )
    })

    it('remembers where the entities came from that create copies', async () => {
      const ana = await author('brazil')
      const draft = db.manager.create(Book, { title: 'Two', author: ana })
      expect(draft.author).not.to.equal(ana)
      expect(await routes(() => db.manager.save(draft))).to.deep.equal(['brazil home'])
      const foreign = db.using('canada', () => db.manager.create(Book, { title: 'x', author: ana }))
      await refused(() => db.manager.save(foreign))
      const copy = db.shard('canada').manager.create(Author, { name: ana.name })
      expect(db.octopus.shardOf(copy)).to.equal('canada')
    })

    it('shows listeners where an entity is', async () => {
      seenByListeners.length = 0
      const { id } = await author('brazil')
      await db.using('brazil', () => db.manager.findOneByOrFail(Author, { id }))
      await db.transaction((manager) => manager.save(named(Author, { name: 'Bia' })))
      expect(seenByListeners).to.deep.equal(['brazil', 'brazil', 'master'])
    })

    it('finds the way through a tree', async () => {
      const root = await saved(
        'brazil',
        named(Place, { name: 'root', children: [named(Place, { name: 'leaf', children: [] })] }),
      )
      const places = db.getTreeRepository(Place)
      expect(db.octopus.shardOf(root.children[0]!)).to.equal('brazil')
      const walks: readonly (() => Promise<unknown>)[] = [
        () => places.findDescendants(root),
        () => places.findDescendantsTree(root),
        () => places.countDescendants(root),
        () => places.findAncestors(root.children[0]!),
        () => places.countAncestors(root.children[0]!),
      ]
      for (const work of walks)
        expect(await routes(() => db.using('canada', work))).to.deep.equal(['brazil home'])
      const found = await places.findDescendants(root)
      expect(found.map((place) => db.octopus.shardOf(place))).to.deep.equal(['brazil', 'brazil'])
      await refused(() => db.shard('canada').getTreeRepository(Place).findAncestors(root))
      expect(places).to.equal(db.getTreeRepository(Place))
      const [tree] = await db.using('brazil', () => places.findTrees())
      expect(tree?.children.map(({ name }) => name)).to.deep.equal(['leaf'])
    })

    it('tells where a plain object went that nothing is known of', async () => {
      const widget = { name: 'x' }
      expect(
        await routes(() => db.using('brazil', () => db.manager.save(WidgetSchema, widget))),
      ).to.deep.equal(['brazil untracked'])
      expect(await routes(() => db.manager.save(WidgetSchema, { name: 'y' }))).to.deep.equal([
        'master untracked',
      ])
      expect(
        await routes(() => db.shard('brazil').manager.save(WidgetSchema, { name: 'z' })),
      ).to.deep.equal(['brazil handle'])
    })
  })

  it('is the same record as another of its id and shard', async () => {
    const ana = await author('brazil')
    const again = await db.using('brazil', () => db.manager.findOneByOrFail(Author, { id: ana.id }))
    const elsewhere = named(Author, { id: ana.id, name: 'Ana' })
    const { isSameRecord } = {
      isSameRecord: (one: object, other: object) => db.octopus.isSameRecord(one, other),
    }
    expect(isSameRecord(ana, again)).to.equal(true)
    expect(isSameRecord(ana, elsewhere)).to.equal(false)
    expect(isSameRecord(ana, db.octopus.bindShard(elsewhere, 'canada'))).to.equal(false)
    expect(isSameRecord(ana, db.octopus.bindShard(elsewhere, 'brazil'))).to.equal(true)
    expect(isSameRecord(ana, await author('brazil'))).to.equal(false)
    expect(isSameRecord(ana, db.octopus.bindShard(named(Book, { id: ana.id }), 'brazil'))).to.equal(
      false,
    )
    const literals = await Promise.all(
      [0, 1].map(() => db.using('brazil', () => db.manager.save(WidgetSchema, { name: 'x' }))),
    )
    const [widget, other] = literals as [Widget, Widget]
    const found = await db.using('brazil', () =>
      db.manager.findOneByOrFail(WidgetSchema, { id: widget.id }),
    )
    expect(isSameRecord(widget, found)).to.equal(true)
    expect(isSameRecord(widget, other)).to.equal(false)
    const daily = await saved('brazil', named(Newspaper, { title: 'x' }))
    const paper = await db.using('brazil', () =>
      db.manager.findOneByOrFail(Paper, { id: daily.id }),
    )
    expect(isSameRecord(daily, paper)).to.equal(true)
    const unsaved = new Author()
    expect(isSameRecord(unsaved, unsaved)).to.equal(true)
    expect(isSameRecord(unsaved, new Author())).to.equal(false)
  })
})
