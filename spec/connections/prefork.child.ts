import 'reflect-metadata'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { type ConnectionProxy, type OctopusOptions, octopus } from '../../lib/index.js'
import { ownTask, say } from './children.js'

interface Task {
  readonly source: DataSourceOptions
  readonly options: OctopusOptions
  readonly waiting: string
  readonly workers: number
}

const task = ownTask<Task>()

const open = async (): Promise<ConnectionProxy> => {
  const db = octopus(new DataSource(task.source), task.options)
  await db.initialize()
  return db
}

const primary = async (): Promise<void> => {
  const lines = createInterface(process.stdin)
  const told = async (): Promise<void> => void (await once(lines, 'line'))
  const db = await open()
  await db.octopus.warm(db.octopus.shardNames)
  say({ at: 'warm', total: db.octopus.connectionBudget(task.workers).total })
  await told()
  const workers = await db.octopus.clusterHooks({ workers: task.workers }).forkAll()
  const codes = workers.map(
    (worker) => new Promise((resolve) => worker.once('exit', (code) => resolve(code))),
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  say({ at: 'forked' })
  await told()
  for (const worker of workers) worker.send('go')
  const ended = await Promise.all(codes)
  await db.query('SELECT 1')
  await db.destroy()
  lines.close()
  say({ at: 'end', codes: ended })
}

const worker = async (): Promise<void> => {
  const going = once(process, 'message')
  process.send?.('ready')
  await going
  const db = await open()
  const { shardNames } = db.octopus
  await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      db.shard(shardNames[index % shardNames.length] ?? '').query(task.waiting),
    ),
  )
  await db.destroy()
  process.disconnect()
}

await (cluster.isPrimary ? primary() : worker())
