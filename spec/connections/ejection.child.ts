import 'reflect-metadata'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { type OctopusOptions, octopus } from '../../lib/index.js'
import { ownTask, say } from './children.js'
import { Entry } from './own-support.js'
import { isOut, read } from './support.js'

const task = ownTask<{ source: DataSourceOptions; options: OctopusOptions }>()

const db = octopus(new DataSource({ ...task.source, entities: [Entry] }), task.options)
await db.initialize()
await read(db)
const lines = createInterface(process.stdin)
const told = once(lines, 'line')
say({ step: 'open' })
await told
await read(db)
say({ step: 'out', why: await isOut(db, 'r1') })
// Nothing is destroyed: the servers leave, and what is left of the process is the wish to probe.
lines.close()
process.stdin.destroy()
