// Entities that know where they come from, and some that live in one place. Each shard is an SQLite
// database in memory.
import {
  Column,
  DataSource,
  Entity,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm'
// In a project of your own:  from 'typeorm-octopus'
import { Unsharded, inBatches, octopus } from '../../lib/index.js'

@Entity()
class Author {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) name!: string
  @Column({ type: String, nullable: true }) countryCode!: string | null
  @OneToMany(() => Book, (book) => book.author)
  books!: Promise<Relation<Book>[]>
}

@Entity()
class Book {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) title!: string
  @ManyToOne(() => Author, (author) => author.books)
  author!: Relation<Author>
}

// One table for all shards, on the default one.
@Unsharded()
@Entity()
class Country {
  @PrimaryColumn({ type: String }) code!: string
  @Column({ type: String }) name!: string
}

const db = octopus(new DataSource({ type: 'sqljs', entities: [Author, Book, Country] }), {
  shards: { brazil: {}, canada: {} },
})
await db.initialize()
await db.usingAll(() => db.synchronize())
const [authors, books, countries] = [
  db.getRepository(Author),
  db.getRepository(Book),
  db.getRepository(Country),
]

/** Where the statements of `work` went, and which rule said so. */
const routes = async (what: string, work: () => unknown): Promise<void> => {
  const { events } = await db.octopus.withTrace(async () => void (await work()))
  const places = new Set(events.map(({ shard, shardReason }) => `${shard} (${shardReason})`))
  console.log(`   ${what}: ${[...places].join(', ')}`)
}

console.log('1. What was saved on brazil is at home there')
const ana = await db.using('brazil', () => authors.save({ name: 'Ana', countryCode: 'BR' }))
await routes('save it, in no scope', () => authors.save(Object.assign(ana, { name: 'Ana M.' })))
await routes('save it, in a scope of canada', () =>
  db.using('canada', () => authors.save(Object.assign(ana, { name: 'Ana' }))),
)
await routes('insert what names it', () => books.insert({ title: 'One', author: ana }))
await routes('find by its bare id', () => books.findBy({ author: { id: ana.id } }))
await routes('find by the entity', () => books.find({ where: { author: ana as object } }))
await routes('change its relation', () =>
  db.createQueryBuilder().relation(Author, 'books').of(ana).add(1),
)

console.log('2. Nothing crosses by accident')
const claire = await db.using('canada', () => authors.save({ name: 'Claire', countryCode: 'CA' }))
for (const work of [
  () => authors.save([ana, claire]),
  () => db.shard('canada').getRepository(Author).remove(ana),
  () => db.shard('canada').transaction((manager) => manager.save(ana)),
])
  await work().catch((error: unknown) => console.log(`   ${String(error)}`))

console.log('3. The same id on two shards is two records')
const again = await db.using('brazil', () => authors.findOneByOrFail({ id: ana.id }))
console.log(`   ids ${ana.id} and ${claire.id}`)
console.log(`   Ana and Ana, loaded again: ${db.octopus.isSameRecord(ana, again)}`)
console.log(`   Ana and Claire: ${db.octopus.isSameRecord(ana, claire)}`)

console.log('4. Countries are in one place')
await countries.insert([
  { code: 'BR', name: 'Brazil' },
  { code: 'CA', name: 'Canada' },
])
await routes('in a scope of brazil', () => db.using('brazil', () => countries.find()))
const { name } = await countries.findOneByOrFail({ code: String(ana.countryCode) })
console.log(`   ${ana.name} is from ${name}`)

console.log('5. Batches stay on their shard')
const batches = db.using('brazil', () => inBatches(authors, { size: 100 }))
await db.using('canada', async () => {
  for await (const batch of batches)
    console.log(`   ${batch.map((author) => author.name).join()}, read in a scope of canada`)
})

await db.destroy()
