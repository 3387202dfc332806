import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { AggregationTemporality, InMemoryMetricExporter } from '@opentelemetry/sdk-metrics'
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { Registry } from 'prom-client'
import type { ConnectionProxy } from '../../lib/index.js'
import { instrumentOctopus } from '../../lib/opentelemetry.js'
import { octopusMetrics } from '../../lib/prometheus.js'

/** Somebody who observes a data source. */
export interface ObserverVariant {
  readonly name: string
  /** Begins; returns the function that ends it. */
  start(db: ConnectionProxy): () => void
}

const nobody: ObserverVariant = { name: 'nobody', start: () => () => undefined }

/** Observers in a process that has no SDK of OpenTelemetry. The first is what the others are compared with. */
export const variantsWithoutSdk = (): readonly [ObserverVariant, ...ObserverVariant[]] => {
  const registry = new Registry()
  return [
    nobody,
    { ...nobody, name: 'nobody, again' },
    {
      name: 'OpenTelemetry, spans, no SDK',
      start: (db) => instrumentOctopus(db, { metrics: false }),
    },
    { name: 'OpenTelemetry, no SDK', start: (db) => instrumentOctopus(db) },
    { name: 'Prometheus', start: (db) => octopusMetrics(db, { registry }) },
  ]
}

/** Observers in a process whose SDK carries the context of spans, by an AsyncLocalStorage. */
export const variantsWithSdk = (): readonly [ObserverVariant, ...ObserverVariant[]] => {
  const exporter = new InMemorySpanExporter()
  const sampled = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  sampled.register()
  const dropped = new NodeTracerProvider({ sampler: new AlwaysOffSampler() })
  const meterProvider = new MeterProvider({
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
      }),
    ],
  })
  const spans =
    (options: Parameters<typeof instrumentOctopus>[1]): ObserverVariant['start'] =>
    (db) => {
      const stop = instrumentOctopus(db, options)
      return () => {
        stop()
        exporter.reset()
      }
    }
  return [
    nobody,
    { ...nobody, name: 'nobody, again' },
    {
      name: 'OpenTelemetry, spans not sampled',
      start: spans({ metrics: false, tracerProvider: dropped }),
    },
    { name: 'OpenTelemetry, spans in memory', start: spans({ metrics: false }) },
    { name: 'OpenTelemetry, metrics', start: spans({ spans: false, meterProvider }) },
    { name: 'OpenTelemetry, both', start: spans({ meterProvider }) },
  ]
}
