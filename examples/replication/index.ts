// Reads on replicas, writes on the primary, and what that means for a row that was just written.
// Starts a real MariaDB primary with two replicas (spec/support/cluster), and stops them at the end.
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
// In a project of your own:  from 'typeorm-octopus'
import { ReadOnlyScopeError, consoleTrace, octopus } from '../../lib/index.js'
import { MariadbCluster } from '../../spec/support/cluster/index.js'

@Entity()
class Post {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) title!: string
}

const cluster = await MariadbCluster.start({ shards: 1, replicas: 2 })
const { primary } = cluster.shard(0)
const [first, second] = cluster.shard(0).replicas
if (first === undefined || second === undefined) throw new Error('The cluster has two replicas.')

const db = octopus(
  new DataSource({ type: 'mariadb', ...primary.connectionOptions(), entities: [Post] }),
  {
    // Credentials and database are the primary's. The primary's reads now go to these two.
    replicas: [
      { name: 'first', host: first.host, port: first.port },
      { name: 'second', host: second.host, port: second.port, group: 'reports' },
    ],
  },
)

try {
  await db.initialize()
  await db.synchronize()
  const posts = db.getRepository(Post)
  await posts.insert({ title: 'one' })
  await cluster.waitUntilCaughtUp(cluster.shard(0))

  const stop = db.octopus.onRoute(
    consoleTrace({ write: (line) => console.log(`   ${line}`), columnWidth: 26 }),
  )
  const step = (title: string): void => console.log(`\n${title}`)

  step('1. Reads go to the replicas in turn; every other statement goes to the primary.')
  for (let i = 0; i < 4; i += 1) await posts.find()
  await posts.insert({ title: 'two' })
  await db.query('SELECT COUNT(*) FROM post') // raw SQL could write: the primary, too
  await cluster.waitUntilCaughtUp(cluster.shard(0))

  step('2. Replicas lag. Here they stand still: what is written does not reach them.')
  for (const replica of [first, second]) await cluster.freezeReplication(replica)
  await posts.insert({ title: 'three' })
  console.log(`   outside a scope, at once: ${await posts.count()} posts (one is missing)`)

  step('3. In a scope, reads follow its writes to the primary (for 5 seconds, by default).')
  await db.octopus.scope(async () => {
    console.log(`   before a write: ${await posts.count()} posts`)
    await posts.insert({ title: 'four' })
    console.log(`   after a write: ${await posts.count()} posts`)
  })

  step('4. usingPrimary reads what is true now.')
  console.log(`   ${await db.usingPrimary(() => posts.count())} posts`)

  step('5. usingReplica reads from replicas only, here from one group of them …')
  await db.usingReplica({ group: 'reports' }, async () => {
    await posts.find()
    await db.query('SELECT COUNT(*) FROM post')
    await db.transaction((manager) => manager.find(Post)) // READ ONLY, on a replica
  })

  step('6. … and lets nothing write.')
  try {
    await db.usingReplica(() => posts.insert({ title: 'five' }))
  } catch (error) {
    if (!(error instanceof ReadOnlyScopeError)) throw error
    console.log(`   ${error.name}: ${error.message}`)
  }
  stop()
} finally {
  if (db.isInitialized) await db.destroy()
  await cluster.stop()
}
