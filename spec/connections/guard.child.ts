import 'reflect-metadata'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { octopus } from '../../lib/index.js'
import { ownTask, say } from './children.js'

const { source } = ownTask<{ source: DataSourceOptions }>()
const lines = createInterface(process.stdin)

// A process that goes on from another's memory: Node cannot fork so, what freezes a process can.
const db = octopus(new DataSource(source), {})
await db.initialize()
await db.query('SELECT 1')
say({ at: 'before' })
await once(lines, 'line')
const { pid } = process
Object.defineProperty(process, 'pid', { value: pid + 1, configurable: true })
await db.query('SELECT 1')
say({ at: 'after', pools: db.octopus.pools().map(({ idle, active }) => idle + active) })
await once(lines, 'line')
await db.destroy()
say({ at: 'destroyed' })
await once(lines, 'line')
// The sockets of the process that it came from are not closed here, and would hold this one.
process.exit()
