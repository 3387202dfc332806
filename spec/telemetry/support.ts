import { type Context, context, createContextKey, propagation, trace } from '@opentelemetry/api'
import { AggregationTemporality, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm'
import { type ConnectionProxy, type OctopusOptions, octopus } from '../../lib/index.js'

@Entity('notes')
export class Note {
  @PrimaryColumn({ type: Number }) id!: number
  @Column({ type: String }) text!: string
}

/** Shards in memory; brazil decides as if it had two replicas. */
export const openShards = async (
  options: OctopusOptions = {},
  source: Readonly<Record<string, unknown>> = {},
): Promise<ConnectionProxy> => {
  const connection = { type: 'sqljs' as const, entities: [Note], synchronize: true, ...source }
  const db = octopus(new DataSource(connection), {
    shards: {
      brazil: { synchronize: true, replicas: [{ name: 'br-2' }, { name: 'br-3' }] },
      canada: { synchronize: true },
    },
    collapseReplicas: true,
    ...options,
  })
  return db.initialize()
}

/** OpenTelemetry's SDK, with its spans in memory. */
export class Tracing {
  readonly #exporter = new InMemorySpanExporter()
  readonly provider: NodeTracerProvider

  constructor(sampler?: Sampler) {
    const spanProcessors = [new SimpleSpanProcessor(this.#exporter)]
    this.provider = new NodeTracerProvider(
      sampler ? { sampler, spanProcessors } : { spanProcessors },
    )
    this.provider.register()
  }

  get spans(): readonly ReadableSpan[] {
    return this.#exporter.getFinishedSpans()
  }

  /** The spans of what is done in between. */
  async during(work: () => unknown): Promise<readonly ReadableSpan[]> {
    this.#exporter.reset()
    await work()
    return this.spans
  }

  /** Runs work within a span. */
  within<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.provider.getTracer('spec').startActiveSpan(name, async (span) => {
      try {
        return await work()
      } finally {
        span.end()
      }
    })
  }

  async stop(): Promise<void> {
    await this.provider.shutdown()
    trace.disable()
    context.disable()
    propagation.disable()
  }
}

/** The context in which the SDK makes no spans. */
export const suppressed = (): Context =>
  context
    .active()
    .setValue(createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'), true)

class Reader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** One value of a metric, with its attributes. */
export interface Point {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly value: unknown
}

/** OpenTelemetry's SDK, with its metrics to be read. */
export class Metering {
  readonly #reader = new Reader({
    aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE,
  })
  readonly provider = new MeterProvider({ readers: [this.#reader] })

  /** What is measured now, by metric. */
  async read(): Promise<ReadonlyMap<string, readonly Point[]>> {
    const { resourceMetrics, errors } = await this.#reader.collect()
    if (errors.length > 0) throw new AggregateError(errors, 'Metrics could not be read')
    return new Map(
      resourceMetrics.scopeMetrics
        .flatMap(({ metrics }) => metrics)
        .map(({ descriptor, dataPoints }) => [
          descriptor.name,
          dataPoints.map(({ attributes, value }) => ({ attributes, value })),
        ]),
    )
  }

  stop(): Promise<void> {
    return this.provider.shutdown()
  }
}
