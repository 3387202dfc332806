import 'reflect-metadata'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { type OctopusOptions, octopus } from '../../lib/index.js'
import { ownTask, say } from './children.js'
import { Entry } from './own-support.js'

const { source, options, awaits } = ownTask<{
  source: DataSourceOptions
  options: OctopusOptions
  awaits?: false
}>()

const db = octopus(new DataSource({ ...source, entities: [Entry] } as DataSourceOptions), options)
await db.initialize()
const work = Promise.allSettled(
  db.octopus.shardNames.flatMap((shard) => [
    db.shard(shard).getRepository(Entry).find(),
    db.shard(shard).query('SELECT 1'),
    db.shard(shard).transaction((manager) => manager.find(Entry)),
    db.octopus.scope(() => db.shard(shard).query('SELECT 1'), { connections: 'throwaway' }),
  ]),
)
if (awaits !== false) await work
else await new Promise((resolve) => setTimeout(resolve, 100))
await db.destroy()
await new Promise((resolve) => setImmediate(resolve))
const left = process
  .getActiveResourcesInfo()
  .filter((name) => /TCP|TLS|Timeout|Immediate|GetAddrInfo/.test(name))
say({ left })
