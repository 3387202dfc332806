// Shards, replicas and traces in one process: `npm run demo`. Needs no server and no compiler: each
// server is a SQLite file that sql.js reads and writes, in a folder that is removed at the end.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
// In a project of your own:  from 'typeorm-octopus'
import { UnknownShardError, consoleTrace, octopus, using } from '../../lib/index.js'

@Entity()
class Customer {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) name!: string
  @Column({ type: Number }) credit!: number
}

const folder = mkdtempSync(path.join(tmpdir(), 'octopus-quickstart-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
const pathOf = (file: string): string => path.join(folder, file)

// The DataSource you have is the default shard, "master". The options add what it lacks.
const db = octopus(
  new DataSource({
    type: 'sqljs',
    location: pathOf('main'),
    autoSave: true,
    entities: [Customer],
  }),
  {
    shards: {
      brazil: {
        location: pathOf('br-1'),
        replicas: [{ location: pathOf('br-2') }, { location: pathOf('br-3') }],
      },
      canada: { location: pathOf('ca-1') },
    },
    groups: { americas: ['brazil', 'canada'] },
  },
)
await db.initialize()
await db.usingAll(() => db.synchronize())
const customers = db.getRepository(Customer)

const say = (line: string): void => console.log(line)
say('Under each step, one line per statement: [shard/role server] statement, time — reason')
db.octopus.onRoute(consoleTrace({ write: (line) => say(`   ${line}`), columnWidth: 22 }))

say('\n1. A scope: all queries inside it, at any depth, run on brazil.')
await using('brazil', async () => {
  await customers.insert([
    { name: 'Ana', credit: 0 },
    { name: 'Bruno', credit: 0 },
  ])
  const count = await customers.count()
  say(`   ${count} customers: in this scope brazil was just written, so its primary was read.`)
})
// A database server copies its data to its replicas by itself. SQLite does not: we copy the file.
for (const replica of ['br-2', 'br-3']) copyFileSync(pathOf('br-1'), pathOf(replica))

say('\n2. Other reads go to the replicas of brazil, in turn.')
const [ana, bruno] = await using('brazil', () => customers.find({ order: { id: 'ASC' } }))
await using('brazil', () => customers.count())
if (ana === undefined || bruno === undefined) throw new Error('The copy lacks Ana or Bruno.')

say('\n3. A handle: a DataSource that stays on canada, whatever the scope around it.')
await db.shard('canada').getRepository(Customer).insert({ name: 'Claire', credit: 0 })

say('\n4. An entity goes home: Ana was loaded from brazil, so she is saved there, in no scope.')
ana.credit = 30
await customers.save(ana)

say('\n5. A transaction stays on one connection of one primary.')
await db.shard('brazil').transaction(async (manager) => {
  await manager.decrement(Customer, { id: ana.id }, 'credit', 10)
  await manager.increment(Customer, { id: bruno.id }, 'credit', 10)
})

say('\n6. A group: the same work on each of its shards.')
const counts = await db.usingGroup('americas', () => customers.count())
say(`   ${counts.map(({ shard, value }) => `${shard}: ${value}`).join(', ')}`)

say('\n7. A name that does not exist is an error at once, and nothing is sent.')
try {
  await using('brasil', () => customers.count())
} catch (error) {
  if (!(error instanceof UnknownShardError)) throw error
  say(`   ${error.name}: ${error.message}`)
}

await db.destroy()
