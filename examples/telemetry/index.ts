// Spans and metrics of sharded work: what a trace shows, and what Prometheus reads.
import { trace } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { Registry } from 'prom-client'
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
// In a project of your own:  from 'typeorm-octopus', '…/opentelemetry' and '…/prometheus'
import { octopus, using } from '../../lib/index.js'
import { instrumentOctopus } from '../../lib/opentelemetry.js'
import { octopusMetrics } from '../../lib/prometheus.js'

@Entity()
class Invoice {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: Number }) amount!: number
}

// The SDK, before the data source is used. Yours exports to a collector; this one keeps its spans.
const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
provider.register()

const db = octopus(new DataSource({ type: 'sqljs', entities: [Invoice] }), {
  shards: { brazil: { replicas: [{ name: 'br-2' }] }, canada: {} },
  collapseReplicas: true, // databases in memory do not replicate
})
await db.initialize()
await db.usingAll(() => db.synchronize())

const registry = new Registry()
const stops = [instrumentOctopus(db), octopusMetrics(db, { registry })]
const invoices = db.getRepository(Invoice)

/** What a web framework's instrumentation does for each request. */
const request = (name: string, work: () => Promise<unknown>): Promise<void> =>
  trace.getTracer('example').startActiveSpan(name, async (span) => {
    await work()
    span.end()
  })

console.log('1. A request, and the statements in it:')
await request('POST /invoices', () =>
  using('brazil', async () => {
    await invoices.insert({ amount: 10 })
    await invoices.find()
  }),
)
await request('GET /report', () => db.usingAll(() => invoices.count()))

const spans = exporter.getFinishedSpans()
for (const root of spans.filter(({ parentSpanContext }) => parentSpanContext === undefined)) {
  console.log(root.name)
  for (const { name, attributes, parentSpanContext } of spans)
    if (parentSpanContext?.spanId === root.spanContext().spanId)
      console.log(
        `  ${name} on ${String(attributes['octopus.shard'])}/${String(attributes['octopus.role'])}: ${String(attributes['octopus.reason'])}`,
      )
}

console.log('\n2. The same as Prometheus reads it:')
const lines = (await registry.metrics()).split('\n')
for (const line of lines) if (line.startsWith('octopus_statements_total{')) console.log(line)

for (const stop of stops) stop()
await provider.shutdown()
await db.destroy()
