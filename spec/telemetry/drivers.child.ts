import 'reflect-metadata'
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { octopus } from '../../lib/index.js'
import { instrumentOctopus } from '../../lib/opentelemetry.js'
import { ownTask, say } from '../connections/children.js'
import { Note, Tracing } from './support.js'

/** Where the spec has servers. */
export interface DriversTask {
  readonly type: 'mariadb' | 'postgres'
  readonly connection: object
  readonly replica: { readonly name: string; readonly host: string; readonly port: number }
  readonly canada: object
}

/** A span, as the spec is told of it. */
export interface SpanFacts {
  readonly id: string
  readonly parent: string | undefined
  readonly scope: string
  readonly name: string
  readonly kind: number
  readonly status: number
  readonly attributes: Readonly<Record<string, unknown>>
}

const { type, connection, replica, canada } = ownTask<DriversTask>()

const tracing = new Tracing()
// Drivers are wrapped as they are loaded: TypeORM loads them when it makes its first driver.
registerInstrumentations({
  tracerProvider: tracing.provider,
  instrumentations: [new MySQL2Instrumentation(), new PgInstrumentation()],
})

const db = octopus(
  new DataSource({ type, ...connection, entities: [Note], poolSize: 2 } as DataSourceOptions),
  { replicas: [replica], shards: { canada } },
)
await db.initialize()
await db.usingAll(() => db.synchronize())
const stop = instrumentOctopus(db, { metrics: false, spanKind: 'internal' })
const notes = db.getRepository(Note)

const told = async (step: string, work: () => Promise<unknown>): Promise<void> => {
  const spans = await tracing.during(() =>
    tracing.within('request', () => work().catch(() => undefined)),
  )
  say({
    step,
    spans: spans.map((span): SpanFacts => ({
      id: span.spanContext().spanId,
      parent: span.parentSpanContext?.spanId,
      scope: span.instrumentationScope.name,
      name: span.name,
      kind: span.kind,
      status: span.status.code,
      attributes: span.attributes,
    })),
  })
}

await told('write', () => notes.insert({ id: 1, text: 'of a client' }))
await told('read', () => db.usingReplica(() => notes.find()))
await told('another shard', () => db.using('canada', () => notes.find()))
await told('failure', () => notes.insert({ id: 1, text: 'of a client' }))
await told('transaction', () =>
  db.transaction((manager) => manager.save(Note, { id: 2, text: '' })),
)
await told('at once', () => Promise.all([1, 2, 3, 4].map((id) => notes.findOneBy({ id }))))
await told('stream', async () => {
  const stream = await notes.createQueryBuilder('n').stream()
  for await (const row of stream) void row
})
stop()
await told('after', () => notes.find())
await db.destroy()
await tracing.stop()
