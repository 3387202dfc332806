import 'reflect-metadata'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { type OctopusOptions, octopus } from '../../lib/index.js'
import { ownTask, say } from '../connections/children.js'
import { AddVisits1700000000001 } from './programs.js'
import { SlowStays1700000000002 } from './slow.js'

interface Task {
  readonly dataSource: object
  readonly octopus: OctopusOptions
  readonly shards: readonly string[]
}

const task = ownTask<Task>()
const migrations = [AddVisits1700000000001, SlowStays1700000000002]
const options: object = { ...task.dataSource, migrations }
const db = octopus(new DataSource(options as DataSourceOptions), task.octopus)
await db.initialize()
await db.octopus.migrations.run({ shards: task.shards, transaction: 'each', onEvent: say })
