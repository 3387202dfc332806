import 'reflect-metadata'
import { type HeapProfiler, Session } from 'node:inspector/promises'
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm'
import { octopus } from '../../lib/index.js'

@Entity()
class Note {
  @PrimaryColumn({ type: Number }) id!: number
  @Column({ type: String }) text!: string
}

/** The code that is there for the trace only. */
const traceCode =
  /\/lib\/(?:trace\/|context\/(?:scope-id|call-site)|typeorm\/(?:statement-trace|trace-record|passed-servers|raw-statements|native-watch|route-comment))/

const bytesOf = ({ callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number =>
  (traceCode.test(callFrame.url) ? selfSize : 0) +
  children.reduce((sum, child) => sum + bytesOf(child), 0)

/** The bytes that code of the trace allocates while `work` runs, those soon collected too. */
const allocated = async (work: () => Promise<void>): Promise<number> => {
  const session = new Session()
  session.connect()
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 512,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  await work()
  const { profile } = await session.post('HeapProfiler.stopSampling')
  session.disconnect()
  return bytesOf(profile.head)
}

const db = octopus(new DataSource({ type: 'sqljs', entities: [Note], synchronize: true }), {
  shards: { brazil: { synchronize: true } },
})
await db.initialize()
const notes = db.getRepository(Note)

const turns = 400
/** `work` sends so many for each turn. */
const statementsPerTurn = 6

/** Reads and writes, on the route path of every kind: outside scopes, in them, in transactions. */
const work = async (): Promise<void> => {
  for (let turn = 0; turn < turns; turn += 1) {
    await notes.findOneBy({ id: 1 })
    await db.using('brazil', () => notes.findOneBy({ id: 1 }))
    await db.query('SELECT 1')
    await db.transaction((manager) => manager.query('SELECT 2'))
  }
}

await work()
const silent = await allocated(work)
const stop = db.octopus.onRoute(() => undefined)
const listening = await allocated(work)
stop()
const silentAgain = await allocated(work)
await db.destroy()
process.send?.({ statements: turns * statementsPerTurn, silent, listening, silentAgain })
