/**
 * Thousands of tasks at a time on real MariaDB servers, with a random fault every few seconds: nothing
 * may reach another's shard, no connection may leak, memory stays flat. Not part of the tests:
 *
 *   npm run soak -- --minutes 10
 *
 * It ends with a table for docs/faults.md, and with exit code 1 if anything was wrong.
 */
import { parseArgs } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
import { errorSite, octopus } from '../../lib/index.js'
import type { ClusterNode } from '../../spec/support/cluster/node.js'
import { MariadbCluster } from '../../spec/support/cluster/index.js'
import { until } from '../../spec/support/until.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    tasks: { type: 'string', default: '2000' },
    every: { type: 'string', default: '5' },
  },
})
const minutes = Number(values.minutes)
const tasks = Number(values.tasks)

@Entity()
class Note {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) home!: string
}

const cluster = await MariadbCluster.start({ shards: 3, replicas: 2, generalLog: false })
const shards = ['master', 'brazil', 'canada'] as const
const serverOf = ({ name, host, port }: ClusterNode) => ({ name, host, port })
const replicasOf = (index: number) => cluster.shard(index).replicas.map(serverOf)
const placeOf = (index: number) => {
  const { host, port } = cluster.shard(index).primary.connectionOptions()
  return { host, port, replicas: replicasOf(index) }
}
const db = octopus(
  new DataSource({
    type: 'mariadb',
    ...cluster.shard(0).primary.connectionOptions(),
    entities: [Note],
    logging: false,
    connectTimeout: 1000,
  }),
  {
    replicas: replicasOf(0),
    shards: { brazil: placeOf(1), canada: placeOf(2) },
    queryTimeoutMs: 2000,
    acquireTimeoutMs: 20_000,
    verifyTimeoutMs: 500,
  },
)
await db.initialize()
await db.usingAll(() => db.synchronize())
for (const shard of cluster.shards) await cluster.waitUntilCaughtUp(shard)

const counts = { done: 0, failed: 0, misrouted: 0 }
const errors = new Map<string, number>()
const faults = new Map<string, number>()
const count = (map: Map<string, number>, key: string): void => {
  map.set(key, (map.get(key) ?? 0) + 1)
}
const anyOf = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T

const task = async (): Promise<void> => {
  const home = anyOf(shards)
  await db.using(home, async () => {
    const notes = db.getRepository(Note)
    const { id } = await notes.save(notes.create({ home }))
    const own = await notes.findOneByOrFail({ id })
    const others = await db.usingReplica(() => notes.find({ take: 3, order: { id: 'DESC' } }))
    if ([own, ...others].some((note) => note.home !== home)) counts.misrouted += 1
  })
}

let isOver = false
const worker = async (): Promise<void> => {
  while (!isOver)
    try {
      await task()
      counts.done += 1
    } catch (error) {
      counts.failed += 1
      count(
        errors,
        `${(error as Error).name}, ${errorSite(error)?.kind ?? errorSite(error)?.stage}`,
      )
    }
}

/** Each leaves its server as it was. */
const faultOn: Readonly<Record<string, (node: ClusterNode) => Promise<void>>> = {
  async 'replica killed and restarted'(node) {
    await node.kill9()
    await delay(1000)
    await node.restart()
  },
  async 'replica stalled for 2 s'(node) {
    await node.pause()
    await delay(2000)
    node.resume()
  },
  async 'primary stalled for 2 s'(node) {
    const { primary } = cluster.shardOf(node)
    await primary.pause()
    await delay(2000)
    primary.resume()
  },
  async 'primary killed and restarted'(node) {
    const { primary } = cluster.shardOf(node)
    await primary.kill9()
    await delay(500)
    await primary.restart()
  },
  async 'primary read-only for 1 s'(node) {
    const { primary } = cluster.shardOf(node)
    await cluster.setReadOnly(primary, true)
    await delay(1000)
    await cluster.setReadOnly(primary, false)
  },
  async 'every connection of a replica ended by KILL'(node) {
    const rows = await node.sql<{ id: number }>(
      "SELECT id FROM information_schema.processlist WHERE user = 'app'",
    )
    // One that is gone meanwhile is no failure of the fault.
    for (const { id } of rows) await node.sql(`KILL ${id}`).catch(() => undefined)
  },
}

const memories: number[] = []
const started = performance.now()
const workers = Array.from({ length: tasks }, worker)
while (performance.now() - started < minutes * 60_000) {
  await delay(Number(values.every) * 1000)
  const name = anyOf(Object.keys(faultOn))
  const node = anyOf(anyOf(cluster.shards).replicas)
  count(faults, name)
  await faultOn[name]?.(node)
  globalThis.gc?.()
  memories.push(Math.round(process.memoryUsage().heapUsed / 2 ** 20))
}
isOver = true
await Promise.all(workers)
await until(() => db.octopus.pools().every(({ active }) => active === 0), {
  what: 'every lease to come back',
})
const strays = await db.usingAll(async (shard) =>
  db.query('SELECT COUNT(*) AS strays FROM note WHERE home <> ?', [shard]),
)
for (const { value } of strays)
  counts.misrouted += Number((value as [{ strays: number }])[0].strays)
await db.destroy()
let left = 0
for (const node of cluster.nodes) left += await node.connections()
await cluster.stop()

const listed = (map: Map<string, number>): string =>
  [...map].map(([key, times]) => `${times} × ${key}`).join('; ')
const quarter = Math.max(1, Math.floor(memories.length / 4))
const mean = (list: readonly number[]): number =>
  Math.round(list.reduce((sum, each) => sum + each, 0) / list.length)
console.log(`| ${minutes} minutes, ${tasks} tasks at a time | |
| --- | --- |
| faults | ${listed(faults)} |
| tasks done | ${counts.done} |
| tasks that failed | ${counts.failed}: ${listed(errors)} |
| misrouted reads and rows | ${counts.misrouted} |
| leases out, connections left | 0, ${left} |
| heap after collection, first and last quarter | ${mean(memories.slice(0, quarter))} MB, ${mean(memories.slice(-quarter))} MB |`)
if (counts.misrouted > 0 || left > 0) process.exitCode = 1
