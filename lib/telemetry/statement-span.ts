import {
  type Attributes,
  type Context,
  type Span,
  SpanStatusCode,
  type TracerProvider,
  SpanKind,
  context,
  trace,
} from '@opentelemetry/api'
import type { RouteEvent, StatementObserve, StatementObserver, StatementStart } from '../index.js'
import type { Servers } from './servers.js'
import { errorType, operationName, statusCode } from './words.js'

/** How spans are made. */
export interface SpanSettings {
  readonly provider: TracerProvider
  readonly kind: 'client' | 'internal'
  /** Whether statements outside every span have none. */
  readonly requiresParent: boolean
  /** Whether spans have the SQL. */
  readonly hasText: boolean
  /** The data source's name, if it has one. */
  readonly source: string | undefined
}

const kinds = { client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const

/**
 * What a sampler may go by: all that is known before a statement is sent. One literal, here and below: to
 * spread an object into it costs ten times as much.
 */
const attributesOf = (
  start: StatementStart,
  servers: Servers,
  { hasText, source }: SpanSettings,
): Attributes => {
  const { shard, entity } = start
  const server = servers.find(shard, undefined)
  const operation = operationName(start.statement)
  const table = entity === undefined ? undefined : servers.table(shard, entity)
  return {
    'db.system.name': server['db.system.name'],
    'db.namespace': server['db.namespace'],
    'db.operation.name': operation,
    'db.collection.name': table,
    'db.query.summary': table === undefined ? operation : `${operation} ${table}`,
    'db.query.text': hasText ? start.sql : undefined,
    'octopus.source': source,
    'octopus.kind': start.kind,
    'octopus.shard': shard,
    'octopus.role': start.role,
    'octopus.reason': start.reason,
    'octopus.shard_reason': start.shardReason,
    'octopus.operation': start.operation,
    'octopus.entity': entity,
    'octopus.in_transaction': start.inTransaction,
    'octopus.route_id': start.routeId,
    'octopus.scope_id': start.scopeId,
  }
}

/** What is known once it has ended. */
const endAttributes = (event: RouteEvent, servers: Servers): Attributes => {
  const server = servers.find(event.shard, event.node)
  return {
    'server.address': server['server.address'],
    'server.port': server['server.port'],
    'octopus.node': event.node,
    'octopus.role': event.role,
    'octopus.replica_group': event.replicaGroup,
    'octopus.skipped': event.skipped.map(({ node }) => node),
    'octopus.waited_ms': event.waitedMs,
    'octopus.verified': event.verified,
    'octopus.retried': event.retried,
    'octopus.cached': event.cached,
  }
}

/** One statement's span, current while the statement is sent. */
class StatementSpan implements StatementObserver {
  readonly #span: Span
  readonly #context: Context
  readonly #servers: Servers

  constructor(span: Span, within: Context, servers: Servers) {
    this.#span = span
    this.#context = trace.setSpan(within, span)
    this.#servers = servers
  }

  run<T>(send: () => T): T {
    return context.with(this.#context, send)
  }

  settled(event: RouteEvent): void {
    const span = this.#span
    if (span.isRecording()) {
      span.setAttributes(endAttributes(event, this.#servers))
      if (event.error !== undefined) failed(span, event.error)
    }
    span.end()
  }
}

/** The error's message is left out: servers put values of the statement into it. */
const failed = (span: Span, error: NonNullable<RouteEvent['error']>): void => {
  span.setAttributes({
    'error.type': errorType(error),
    'db.response.status_code': statusCode(error),
    'octopus.error_stage': error.stage,
  })
  span.setStatus({ code: SpanStatusCode.ERROR })
}

/** Gives each statement a span. */
export const spanObserver = (servers: Servers, settings: SpanSettings): StatementObserve => {
  const tracer = settings.provider.getTracer('typeorm-octopus')
  return (start) => {
    const within = context.active()
    if (settings.requiresParent && trace.getSpan(within) === undefined) return undefined
    const attributes = attributesOf(start, servers, settings)
    const name = String(attributes['db.query.summary'])
    const span = tracer.startSpan(name, { kind: kinds[settings.kind], attributes }, within)
    return new StatementSpan(span, within, servers)
  }
}
