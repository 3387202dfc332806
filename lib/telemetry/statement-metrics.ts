import type { Attributes, Meter } from '@opentelemetry/api'
import type { RouteEvent, RouteListener } from '../index.js'
import type { Servers } from './servers.js'
import { errorType, operationName, statusCode } from './words.js'

/** The buckets that the conventions name, in seconds. */
export const secondsBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** None is undefined: for a metric that would be a value of its own. */
const operationAttributes = (event: RouteEvent, servers: Servers): Attributes => {
  const { shard, role, node, error } = event
  const attributes: Attributes = {
    ...servers.find(shard, node),
    'db.operation.name': operationName(event.statement),
    'octopus.shard': shard,
    'octopus.role': role,
  }
  if (node !== undefined) attributes['octopus.node'] = node
  if (error === undefined) return attributes
  attributes['error.type'] = errorType(error)
  const code = statusCode(error)
  if (code !== undefined) attributes['db.response.status_code'] = code
  return attributes
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
