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
import {
  type ConnectionProxy,
  CrossShardError,
  UnknownShardError,
  octopus,
} from '../../lib/index.js'

@Entity()
class Author {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @OneToMany(() => Book, (book) => book.author, { cascade: true }) books?: Relation<Book>[]
}

@Entity()
class Book {
  @PrimaryGeneratedColumn() id!: number
  @Column() title!: string
  @ManyToOne(() => Author, (author) => author.books) author?: Relation<Author>
  @ManyToOne(() => Author, { lazy: true }) editor!: Promise<Relation<Author> | undefined>
}

const author = (name: string, books?: Book[]): Author =>
  Object.assign(new Author(), { name, ...(books && { books }) })
const book = (title: string): Book => Object.assign(new Book(), { title })

describe('the home of an entity', () => {
  let db: ConnectionProxy

  before(async () => {
    const own = { synchronize: true }
    db = octopus(new DataSource({ type: 'sqljs', entities: [Author, Book], ...own }), {
      shards: { brazil: own, canada: own },
    })
    await db.initialize()
  })

  beforeEach(() =>
    db.usingAll(async () => {
      await db.getRepository(Book).deleteAll()
      await db.getRepository(Author).deleteAll()
    }),
  )

  after(() => db.destroy())

  const savedOn = <E extends object>(shard: string, entity: E): Promise<E> =>
    db.using(shard, () => db.manager.save(entity))
  const counts = async (entity: typeof Author | typeof Book): Promise<Record<string, number>> =>
    Object.fromEntries(
      (await db.usingAll(() => db.manager.count(entity))).map(({ shard, value }) => [shard, value]),
    )
  const refusal = async (work: () => Promise<unknown>): Promise<CrossShardError> => {
    const { value, events } = await db.octopus.withTrace(() =>
      work().then(
        () => undefined,
        (error: unknown) => error,
      ),
    )
    expect(events.map(({ statement }) => statement)).to.deep.equal([])
    expect(value).to.be.instanceOf(CrossShardError)
    return value as CrossShardError
  }

  it('is where it was first saved, for all that a cascade saves with it', async () => {
    const ana = await savedOn('brazil', author('Ana', [book('One'), book('Two')]))
    const homes = [ana, ...(ana.books ?? [])].map((entity) => db.octopus.shardOf(entity))
    expect(homes).to.deep.equal(['brazil', 'brazil', 'brazil'])
  })

  it('draws along what has none yet', async () => {
    const ana = await savedOn('brazil', author('Ana'))
    await db.using('canada', () => db.manager.save([ana, author('Bia')]))
    ana.books = [book('One')]
    await db.manager.save(ana)
    expect(await counts(Author)).to.deep.equal({ master: 0, brazil: 2, canada: 0 })
    expect(await counts(Book)).to.deep.equal({ master: 0, brazil: 1, canada: 0 })
  })

  it('keeps a cascade from copying an entity of another shard', async () => {
    const ana = await savedOn('brazil', author('Ana'))
    ana.books = [await savedOn('canada', book('One'))]
    const error = await refusal(() => db.manager.save(ana))
    expect(error.shards).to.deep.equal(['brazil', 'canada'])
    expect(error.message).to.include('Author').and.to.include('Book')
    expect(await counts(Book)).to.deep.equal({ master: 0, brazil: 0, canada: 1 })
  })

  it('keeps a foreign key from naming a row of another shard', async () => {
    const one = await savedOn('brazil', book('One'))
    one.author = await savedOn('canada', author('Ana'))
    await refusal(() => db.manager.save(one))
    await refusal(() => db.manager.remove(one))
  })

  it('does so for a lazy relation that was just set', async () => {
    const one = await savedOn('brazil', book('One'))
    one.editor = Promise.resolve(await savedOn('canada', author('Ana')))
    await refusal(() => db.manager.save(one))
  })

  it('does so on a handle and in a transaction', async () => {
    const ana = await savedOn('brazil', author('Ana'))
    const onCanada = db.shard('canada').manager
    await refusal(() => onCanada.save(ana))
    await refusal(() => onCanada.save([author('Bia'), ana]))
    const { value } = await db.octopus.withTrace(() =>
      onCanada.transaction((manager) => manager.save(ana)).catch((error: unknown) => error),
    )
    expect(value).to.be.instanceOf(CrossShardError)
  })

  it('can be declared', async () => {
    const ana = db.octopus.bindShard(author('Ana'), 'canada')
    await db.manager.save(ana)
    expect(await counts(Author)).to.deep.equal({ master: 0, brazil: 0, canada: 1 })
    expect(() => db.octopus.bindShard(author('Bia'), 'peru')).to.throw(UnknownShardError)
    expect(db.octopus.shardOf(author('Eva'))).to.equal(undefined)
  })
})
