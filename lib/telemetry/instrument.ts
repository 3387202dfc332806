import { type MeterProvider, type TracerProvider, metrics, trace } from '@opentelemetry/api'
import type { ConnectionProxy } from '../index.js'
import { observePools, poolTimes } from './pool-metrics.js'
import { Servers } from './servers.js'
import { statementMetrics } from './statement-metrics.js'
import { spanObserver } from './statement-span.js'

/** Settings of {@link instrumentOctopus}. */
export interface OpenTelemetryOptions {
  /** Makes the spans. Default: the one that is registered globally, also if that is later. */
  readonly tracerProvider?: TracerProvider
  /** Makes the metrics. Default: the one that is registered globally, which has to be there by then. */
  readonly meterProvider?: MeterProvider
  /** Whether statements have spans. Default: `true`. */
  readonly spans?: boolean
  /** Whether statements and pools are measured. Default: `true`. */
  readonly metrics?: boolean
  /**
   * The kind of the spans. Default: `client`, as the conventions want of the span of a database call. With
   * an instrumentation of the driver, whose span of the call is inside this one, `internal` lets each call
   * count once.
   */
  readonly spanKind?: 'client' | 'internal'
  /** Whether only statements within a span have one, so that none begins a trace. Default: `false`. */
  readonly requireParentSpan?: boolean
  /**
   * Whether spans have the SQL, as `db.query.text`: with its placeholders, and with whatever literals raw
   * SQL has. Parameters are never recorded. Default: `false`.
   */
  readonly statementText?: boolean
  /** Whether the library's own set-up statements are told too. Default: `false`. */
  readonly internal?: boolean
  /** Tells this data source from others of the process, as `octopus.source`. Default: none. */
  readonly name?: string
}

/**
 * Gives every statement a span, around that of an instrumented driver, and measures statements and pools
 * by OpenTelemetry's conventions for databases. Passwords, parameters and messages of errors are never
 * recorded.
 *
 * @param db - the data source that `octopus()` returned, initialised or not
 * @returns a function that ends it
 */
export const instrumentOctopus = (
  db: ConnectionProxy,
  options: OpenTelemetryOptions = {},
): (() => void) => {
  const servers = new Servers(db)
  const ends = [
    ...(options.spans === false ? [] : [startSpans(db, servers, options)]),
    ...(options.metrics === false ? [] : startMetrics(db, servers, options)),
  ]
  return () => {
    for (const end of ends.splice(0)) end()
  }
}

const startSpans = (
  { octopus }: ConnectionProxy,
  servers: Servers,
  options: OpenTelemetryOptions,
): (() => void) => {
  const observe = spanObserver(servers, {
    provider: options.tracerProvider ?? trace.getTracerProvider(),
    kind: options.spanKind ?? 'client',
    requiresParent: options.requireParentSpan ?? false,
    hasText: options.statementText ?? false,
    source: options.name,
  })
  return octopus.onStatement(observe, { internal: options.internal ?? false })
}

const startMetrics = (
  db: ConnectionProxy,
  servers: Servers,
  { meterProvider = metrics.getMeterProvider(), name, internal = false }: OpenTelemetryOptions,
): (() => void)[] => {
  const meter = meterProvider.getMeter('typeorm-octopus')
  const common = name === undefined ? {} : { 'octopus.source': name }
  return [
    db.octopus.onRoute(statementMetrics(meter, servers, common), { internal }),
    db.octopus.onPool(poolTimes(meter, name, common)),
    observePools(db, meter, name, common),
  ]
}
