import type { DataSource } from 'typeorm'
import type { ConnectionProxy } from '../../lib/index.js'
import type { CallFacts } from '../support/faults/call-log.js'
import type { Job } from '../support/faults/callers.js'
import { read, transact, write } from './words.js'

const works = { read, write, transaction: transact } as const

/** So many callers that do the same. */
const callers = (
  source: DataSource,
  shard: string,
  kind: CallFacts['kind'] & keyof typeof works,
  count: number,
): Job[] =>
  Array.from({ length: count }, (_, index) => ({
    caller: `${shard} ${kind} ${index + 1}`,
    shard,
    kind,
    work: () => works[kind](source, shard),
  }))

/** Eight that read, four that write, one of them in transactions. */
export const allJobs = (db: ConnectionProxy): readonly Job[] => {
  const south = db.shard('south')
  return [
    ...callers(db, 'north', 'read', 6),
    ...callers(south, 'south', 'read', 2),
    ...callers(db, 'north', 'write', 2),
    ...callers(db, 'north', 'transaction', 1),
    ...callers(south, 'south', 'write', 1),
  ]
}

/** How many write in `southernWriters`. */
export const southernWriterCount = 4

/** Writers of one shard, beside readers of it and of another. */
export const southernWriters = (db: ConnectionProxy): readonly Job[] => {
  const south = db.shard('south')
  return [
    ...callers(south, 'south', 'write', southernWriterCount),
    ...callers(south, 'south', 'read', 2),
    ...callers(db, 'north', 'read', 2),
  ]
}
