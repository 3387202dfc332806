import type { Attributes, Meter } from '@opentelemetry/api'
import type { RouteEvent, RouteListener } from '../index.js'
import type { Servers } from './servers.js'
import { errorType, operationName, statusCode } from './words.js'

/** The buckets that the conventions name, in seconds. */
export const secondsBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** An attribute that is undefined would be a value of its own. */
const stated = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))

const operationAttributes = (event: RouteEvent, servers: Servers): Attributes => {
  const { shard, role, node, error } = event
  const server = servers.find(shard, node)
  return stated({
    'db.system.name': server?.system ?? 'other_sql',
    'db.namespace': server?.namespace,
    'db.operation.name': operationName(event.statement),
    'server.address': node === undefined ? undefined : server?.address,
    'server.port': node === undefined ? undefined : server?.port,
    'octopus.shard': shard,
    'octopus.role': role,
    'octopus.node': node,
    ...(error === undefined
      ? {}
      : { 'error.type': errorType(error), 'db.response.status_code': statusCode(error) }),
  })
}

/** Measures each statement. Its attributes have few values: no SQL, no entity, nothing of a request. */
export const statementMetrics = (
  meter: Meter,
  servers: Servers,
  common: Attributes,
): RouteListener => {
  const duration = meter.createHistogram('db.client.operation.duration', {
    description: 'Duration of database client operations.',
    unit: 's',
    advice: { explicitBucketBoundaries: secondsBuckets },
  })
  const statements = meter.createCounter('octopus.statements', {
    description: 'Statements by shard, role and the rule that decided the role.',
    unit: '{statement}',
  })
  return (event) => {
    const { shard, role, reason, kind, cached } = event
    statements.add(1, {
      ...common,
      'octopus.shard': shard,
      'octopus.role': role,
      'octopus.reason': reason,
      'octopus.kind': kind,
      'octopus.cached': cached,
    })
    // What the result cache answers is no operation of a database.
    if (!cached)
      duration.record(event.durationMs / 1000, {
        ...common,
        ...operationAttributes(event, servers),
      })
  }
}
