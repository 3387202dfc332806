import { isDeepStrictEqual } from 'node:util'
import { expect } from 'chai'
import { instanceToPlain, plainToInstance } from 'class-transformer'
import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  OneToOne,
  JoinColumn,
  PrimaryGeneratedColumn,
  type Relation,
  Tree,
  TreeChildren,
  TreeParent,
} from 'typeorm'
import { type ConnectionProxy, octopus } from '../../lib/index.js'
import { describeOnEachEngine } from '../support/three-shards.js'

@Entity('home_desk')
class Desk {
  @PrimaryGeneratedColumn() id!: number
  @Column() colour!: string
}

@Entity('home_writer')
class Writer {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @OneToMany('Text', 'writer', { cascade: true }) texts?: Relation<Text>[]
  @OneToOne(() => Desk, { eager: true, cascade: true }) @JoinColumn() desk?: Desk
}

@Entity('home_text')
class Text {
  @PrimaryGeneratedColumn() id!: number
  @Column() title!: string
  @ManyToOne(() => Writer, (writer) => writer.texts) writer?: Relation<Writer>
  @ManyToMany('Word', { cascade: true }) @JoinTable() words?: Relation<Word>[]
  @OneToMany('Note', 'text', { cascade: true }) notes!: Promise<Relation<Note>[]>
}

@Entity('home_word')
class Word {
  @PrimaryGeneratedColumn() id!: number
  @Column() word!: string
}

@Entity('home_note')
class Note {
  @PrimaryGeneratedColumn() id!: number
  @Column() note!: string
  @ManyToOne(() => Text, (text) => text.notes) text!: Promise<Relation<Text>>
}

@Entity('home_branch')
@Tree('closure-table')
class Branch {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @TreeParent() parent?: Branch | null
  @TreeChildren({ cascade: true }) children!: Branch[]
}

const made = <E extends object>(entity: new () => E, fields: Partial<E>): E =>
  Object.assign(new entity(), fields)

describeOnEachEngine('an entity remembers its shard', (shards, engine) => {
  let db: ConnectionProxy

  before(async () => {
    const { connection, brazil, canada } = shards()
    const own = { synchronize: true }
    const entities = [Desk, Writer, Text, Word, Note, Branch]
    db = octopus(new DataSource({ ...connection, entities, ...own } as DataSourceOptions), {
      shards: { brazil: { ...brazil, ...own }, canada: { ...canada, ...own } },
    })
    await db.initialize()
    await db.using('brazil', async () => {
      const text = made(Text, { title: 'One', words: [made(Word, { word: 'a' })] })
      text.notes = Promise.resolve([made(Note, { note: 'n' })])
      const desk = made(Desk, { colour: 'red' })
      await db.manager.save(made(Writer, { name: 'Ana', texts: [text], desk }))
      const leaf = made(Branch, { name: 'leaf', children: [] })
      await db.manager.save(made(Branch, { name: 'root', children: [leaf] }))
    })
  })
  after(() => db.destroy())

  const homesOf = (...entities: readonly unknown[]): (string | undefined)[] =>
    entities.map((entity) => db.octopus.shardOf(entity as object))
  const inBrazil = <R>(work: () => R): R => db.using('brazil', work)
  const relations = { texts: { words: true } }

  /** The writer with all that was loaded with it. */
  const expectAllAtHome = (writer: Writer | null | undefined): void => {
    const [text] = writer?.texts ?? []
    const found = [writer, writer?.desk, text, text?.words?.[0]]
    expect(found).not.to.include(undefined)
    expect(homesOf(...found)).to.deep.equal(['brazil', 'brazil', 'brazil', 'brazil'])
  }

  it('that find loaded, with its relations by join and eager ones', async () => {
    const find = () => inBrazil(() => db.manager.find(Writer, { relations }))
    expectAllAtHome((await find())[0])
    const onHandle = db.shard('brazil').getRepository(Writer)
    expectAllAtHome(await onHandle.findOne({ where: { name: 'Ana' }, relations }))
    const [found] = await onHandle.findAndCount({ relations })
    expectAllAtHome(found[0])
  })

  it('with its relations by queries of their own', async () => {
    const [writer] = await inBrazil(() =>
      db.manager.find(Writer, { relations, relationLoadStrategy: 'query' }),
    )
    expectAllAtHome(writer)
  })

  it('that a builder loaded', async () => {
    const query = inBrazil(() =>
      db
        .createQueryBuilder(Writer, 'w')
        .leftJoinAndSelect('w.desk', 'd')
        .leftJoinAndSelect('w.texts', 't')
        .leftJoinAndSelect('t.words', 'x'),
    )
    expectAllAtHome(await query.getOne())
    expectAllAtHome((await query.getMany())[0])
    expectAllAtHome((await query.getRawAndEntities()).entities[0])
    expectAllAtHome((await query.getManyAndCount())[0][0])
  })

  const streams = engine !== 'sql.js' // its driver has none
  if (streams)
    it('and streams its rows from there, wherever they are read', async () => {
      const stream = await inBrazil(() => db.createQueryBuilder(Writer, 'w').stream())
      const found: unknown[] = []
      await db.using('canada', async () => {
        for await (const row of stream as AsyncIterable<{ w_name: string }>) found.push(row.w_name)
      })
      expect(found).to.deep.equal(['Ana'])
    })

  it('in a transaction and by a query runner, from a scope of another shard', async () => {
    const runner = db.shard('brazil').createQueryRunner()
    try {
      const [writer] = await runner.manager.find(Writer, { relations })
      expectAllAtHome(writer)
    } finally {
      await runner.release()
    }
    const found = await db
      .shard('brazil')
      .transaction((manager) => manager.find(Writer, { relations }))
    expectAllAtHome(found[0])
  })

  it('by lazy relations at any depth, there and back, in no scope and in another', async () => {
    const text = await inBrazil(() => db.manager.findOneByOrFail(Text, { title: 'One' }))
    const [note] = await text.notes
    const back = await db.using('canada', () => note?.text)
    const [again] = (await db.using('canada', () => back?.notes)) ?? []
    expect(homesOf(text, note, back, again)).to.deep.equal(Array(4).fill('brazil'))
  })

  it('whose relations are ids', async () => {
    const text = await inBrazil(() =>
      db.manager.findOneOrFail(Text, {
        where: { title: 'One' },
        loadRelationIds: { relations: ['words', 'writer'] },
      }),
    )
    expect(homesOf(text)).to.deep.equal(['brazil'])
    expect(text.words).to.have.length(1)
  })

  it('of a tree, with its relatives', async () => {
    const trees = db.getTreeRepository(Branch)
    const [root] = await inBrazil(() => trees.findTrees())
    const [same] = await inBrazil(() => trees.findRoots())
    const found = [root, root?.children[0], same, ...(await trees.findDescendants(root!))]
    expect(homesOf(...found)).to.deep.equal(Array(found.length).fill('brazil'))
  })

  it('that a count, a raw query or an id never had', async () => {
    const [row] = await inBrazil(() => db.createQueryBuilder(Writer, 'w').getRawMany())
    expect(homesOf(row)).to.deep.equal([undefined])
    expect(db.octopus.shardOf({})).to.equal(undefined)
  })

  it('where nobody sees it: not in keys, JSON, copies, comparisons or class-transformer', async () => {
    const writer = await inBrazil(() => db.manager.findOneOrFail(Writer, { where: {}, relations }))
    const twin = made(Writer, JSON.parse(JSON.stringify(writer)) as Partial<Writer>)
    expect(Reflect.ownKeys(writer)).to.have.members(['desk', 'id', 'name', 'texts'])
    expect(
      isDeepStrictEqual(Object.assign({}, writer.desk), Object.assign({}, twin.desk)),
    ).to.equal(true)
    expect(writer.desk).to.deep.equal(made(Desk, twin.desk ?? {}))
    const plain = instanceToPlain(writer)
    expect(plain).to.deep.equal(JSON.parse(JSON.stringify(twin)))
    const copies = [
      Object.assign({}, writer),
      plainToInstance(Writer, plain),
      structuredClone({ ...plain }),
    ]
    expect(homesOf(...copies)).to.deep.equal([undefined, undefined, undefined])
  })
})
