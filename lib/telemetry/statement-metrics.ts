import type { Attributes, Meter } from '@opentelemetry/api'
import type { RouteEvent, RouteListener } from '../index.js'
import { AttributeSets } from './attribute-sets.js'
import type { Server, Servers } from './servers.js'
import { errorType, operationName, statusCode } from './words.js'

/** The buckets that the conventions name, in seconds. */
export const secondsBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** None is undefined: for a metric that would be a value of its own. */
const operationAttributes = (event: RouteEvent, server: Server, common: Attributes): Attributes => {
  const { shard, role, node, error } = event
  const code = error && statusCode(error)
  return {
    ...common,
    ...server,
    'db.operation.name': operationName(event.statement),
    'octopus.shard': shard,
    'octopus.role': role,
    ...(node === undefined ? {} : { 'octopus.node': node }),
    ...(error === undefined ? {} : { 'error.type': errorType(error) }),
    ...(code === undefined ? {} : { 'db.response.status_code': code }),
  }
}

const statementAttributes = (event: RouteEvent, common: Attributes): Attributes => ({
  ...common,
  'octopus.shard': event.shard,
  'octopus.role': event.role,
  'octopus.reason': event.reason,
  'octopus.kind': event.kind,
  'octopus.cached': event.cached,
})

/** The attributes of one data source's statements. */
class StatementSets {
  readonly #servers: Servers
  readonly #common: Attributes
  readonly #statements = new AttributeSets()
  /** By server: one that has moved is another. */
  readonly #operations = new WeakMap<Server, AttributeSets>()

  constructor(servers: Servers, common: Attributes) {
    this.#servers = servers
    this.#common = common
  }

  statement(event: RouteEvent): Attributes {
    const { shard, role, reason, kind, cached } = event
    const key = `${shard}\n${role}\n${reason}\n${kind}\n${cached}`
    return this.#statements.of(key, () => statementAttributes(event, this.#common))
  }

  operation(event: RouteEvent): Attributes {
    const { shard, role, node = '', statement, error } = event
    const server = this.#servers.find(shard, event.node)
    let sets = this.#operations.get(server)
    if (sets === undefined) this.#operations.set(server, (sets = new AttributeSets()))
    const failure = error === undefined ? '' : `${errorType(error)} ${statusCode(error)}`
    const key = `${shard}\n${role}\n${node}\n${operationName(statement)}\n${failure}`
    return sets.of(key, () => operationAttributes(event, server, this.#common))
  }
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
  const sets = new StatementSets(servers, common)
  return (event) => {
    statements.add(1, sets.statement(event))
    // What the result cache answers is no operation of a database.
    if (!event.cached) duration.record(event.durationMs / 1000, sets.operation(event))
  }
}
