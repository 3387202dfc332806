// What callers see when servers fail, and connections of one's own.
// Starts a real MariaDB primary with two replicas (spec/support/cluster), and stops them at the end.
import { Column, DataSource, Entity, PrimaryGeneratedColumn, QueryFailedError } from 'typeorm'
// In a project of your own:  from 'typeorm-octopus'
import { errorSite, isRetryable, octopus } from '../../lib/index.js'
import { MariadbCluster } from '../../spec/support/cluster/index.js'
import { until } from '../../spec/support/until.js'

@Entity()
class Post {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) title!: string
}

const cluster = await MariadbCluster.start({ shards: 1, replicas: 2 })
const { primary, replicas } = cluster.shard(0)

const db = octopus(
  new DataSource({ type: 'mariadb', ...primary.connectionOptions(), entities: [Post] }),
  {
    replicas: replicas.map(({ name, host, port }) => ({ name, host, port })),
    acquireTimeoutMs: 2000,
    queryTimeoutMs: 500,
  },
)

const print = (line: string): void => console.log(`   ${line}`)
const step = (title: string): void => console.log(`\n${title}`)
const outOfService = (): string[] =>
  db.octopus.pools().flatMap(({ node, outOfService: why }) => (why === undefined ? [] : [node]))
const failure = async (work: () => Promise<unknown>): Promise<unknown> =>
  work().then(
    () => undefined,
    (error: unknown) => error,
  )

try {
  await db.initialize()
  await db.synchronize()
  const posts = db.getRepository(Post)
  await posts.insert({ title: 'one' })
  await cluster.waitUntilCaughtUp(cluster.shard(0))
  for (let i = 0; i < 2; i += 1) await posts.find() // each replica has a connection now

  step('1. A replica dies. Reads go on, on the other one.')
  const [first] = replicas
  if (first === undefined) throw new Error('The cluster has two replicas.')
  await first.kill9()
  for (let i = 0; i < 4; i += 1) await posts.find()
  print(`4 reads, out of service: ${outOfService().join(', ')}`)

  step('2. It comes back, and is used again.')
  await first.restart()
  await until(() => outOfService().length === 0, {
    what: 'the replica to be used again',
    timeoutMs: 15_000,
  })
  print(`out of service: ${outOfService().join(', ') || 'none'}`)

  step('3. A primary becomes read-only, as in a failover. One write fails, the next waits it out.')
  await cluster.setReadOnly(primary, true)
  const refused = await failure(() => posts.insert({ title: 'two' }))
  const { stage, kind } = errorSite(refused) ?? {}
  print(
    `QueryFailedError: ${refused instanceof QueryFailedError}, at: ${stage}, says: ${kind}, retryable: ${isRetryable(refused)}`,
  )
  const insert = posts.insert({ title: 'two' })
  await cluster.setReadOnly(primary, false)
  await insert
  print(`${await db.usingPrimary(() => posts.count())} posts`)

  step('4. A statement that is not answered in time frees its caller.')
  const late = await failure(() => db.query('SELECT SLEEP(5)'))
  print(late instanceof QueryFailedError ? late.driverError.name : String(late))

  step('5. A scope with connections of its own closes them at its end.')
  const before = await primary.connections()
  await db.octopus.scope(
    async () => {
      void Promise.all(Array.from({ length: 5 }, () => db.query('SELECT SLEEP(0.1)'))) // not awaited
    },
    { connections: 'throwaway' },
  )
  await until(async () => (await primary.connections()) <= before, {
    what: 'the connections to go',
  })
  print('none of its connections is left')

  step('6. After a pause of the process: verify what is idle.')
  await db.usingPrimary(() => posts.count())
  for (const { node, ok } of await db.octopus.verifyAllShards())
    print(`${node === primary.host ? 'primary' : node}: ${ok ? 'ok' : 'failed'}`)
} finally {
  if (db.isInitialized) await db.destroy()
  await cluster.stop()
}
