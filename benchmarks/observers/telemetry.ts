import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { Registry } from 'prom-client'
import { instrumentOctopus } from '../../lib/opentelemetry.js'
import { octopusMetrics } from '../../lib/prometheus.js'
import { type ObserverVariant, variantOf, wrapped } from './variants.js'

const nobody = (): (() => void) => () => undefined

/** Observers in a process that has no SDK of OpenTelemetry. */
export const withoutSdk = async (): Promise<readonly ObserverVariant[]> => {
  const db = await wrapped()
  const variant = variantOf(db)
  const registry = new Registry()
  return [
    variant('nobody', nobody),
    variant('nobody again', nobody),
    variant('OpenTelemetry, spans, no SDK', () => instrumentOctopus(db, { metrics: false })),
    variant('OpenTelemetry, no SDK', () => instrumentOctopus(db)),
    variant('Prometheus', () => octopusMetrics(db, { registry })),
  ]
}

/** Observers in a process whose SDK carries the context of spans, in an AsyncLocalStorage. */
export const withSdk = async (): Promise<readonly ObserverVariant[]> => {
  const db = await wrapped()
  const variant = variantOf(db)
  const exporter = new InMemorySpanExporter()
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()
  const dropped = new NodeTracerProvider({ sampler: new AlwaysOffSampler() })
  const meterProvider = new MeterProvider({
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
      }),
    ],
  })
  const inMemory = (options: Parameters<typeof instrumentOctopus>[1]) => () => {
    const stop = instrumentOctopus(db, options)
    return () => {
      stop()
      if (exporter.getFinishedSpans().length === 0) throw new Error('No span was made.')
      exporter.reset()
    }
  }
  return [
    variant('nobody', nobody),
    variant('nobody again', nobody),
    variant('OpenTelemetry, spans not sampled', () =>
      instrumentOctopus(db, { metrics: false, tracerProvider: dropped }),
    ),
    variant('OpenTelemetry, spans in memory', inMemory({ metrics: false })),
    variant('OpenTelemetry, metrics', () => instrumentOctopus(db, { spans: false, meterProvider })),
    variant('OpenTelemetry, both', inMemory({ meterProvider })),
  ]
}
