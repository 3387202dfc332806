import {
  InstanceChecker,
  type DataSource,
  type DeleteQueryBuilder,
  type EntityTarget,
  type InsertQueryBuilder,
  type ObjectLiteral,
  type SelectQueryBuilder,
  type UpdateQueryBuilder,
} from 'typeorm'
import type { SoftDeleteQueryBuilder } from 'typeorm/query-builder/SoftDeleteQueryBuilder.js'
import { ReadOnlyScopeError } from '../errors.js'
import { type Question, type Route, answer, questionOf } from '../router/decide.js'
import { type ExplainedRule, explainRole } from '../router/explain-role.js'
import { explainShard } from '../router/explain-shard.js'
import type { Intent } from '../router/request.js'
import { type WhatIf, roleWhatIfs, shardWhatIfs } from '../router/what-if.js'
import type { Role, RouteReason, ShardReason, SkippedNode } from '../trace/event.js'
import { entityName, stateOf, targetOf } from './binding.js'
import { explanationReport, explanationText } from './explanation-text.js'
import { skippedServers } from './passed-servers.js'
import { isRefusedOnReplica } from './read-only-guard.js'
import type { Runtime } from './runtime.js'
import { readIntent } from './select-builder.js'
import { type AnyBuilder, builder, mainMetadata, operationOf } from './settle.js'

const operations = {
  find: 'read',
  count: 'read',
  lock: 'lock',
  save: 'persist',
  remove: 'persist',
  insert: 'write',
  update: 'write',
  delete: 'write',
  query: 'raw',
  transaction: 'transaction',
} as const satisfies Record<string, Intent>

/** An operation whose route can be explained. */
export type ExplainOperation = keyof typeof operations

/** A query builder whose route can be explained. */
export type ExplainedBuilder =
  | DeleteQueryBuilder<ObjectLiteral>
  | InsertQueryBuilder<ObjectLiteral>
  | SelectQueryBuilder<ObjectLiteral>
  | SoftDeleteQueryBuilder<ObjectLiteral>
  | UpdateQueryBuilder<ObjectLiteral>

/** SQL of one's own, as `query()` takes it. */
export interface ExplainedSql {
  readonly sql: string
}

/** What can be explained: an entity, a builder, or SQL. */
export type ExplainTarget = EntityTarget<ObjectLiteral> | ExplainedBuilder | ExplainedSql

/** Settings of an explanation. */
export interface ExplainOptions {
  /** As it would be asked of `db.shard(name)`. Not for a builder, which has its own. Default: of `db`. */
  readonly shard?: string
}

/** Where an operation would go, and why. */
export interface Explanation {
  readonly operation: string
  /** Name of the entity, or the SQL. */
  readonly subject: string
  readonly shard: string
  readonly shardReason: ShardReason
  readonly role: Role
  readonly replicaGroup: string | undefined
  readonly reason: RouteReason
  /** The rules asked before `reason`, which did not apply. */
  readonly passedOver: readonly RouteReason[]
  /** The servers that the balancer would choose from. */
  readonly candidates: readonly string[]
  /** The shard's replicas that are no candidates where a replica is wanted. */
  readonly skipped: readonly SkippedNode[]
  /** The rules for the shard as they were asked; the last is the one that decided. */
  readonly shardRules: readonly ExplainedRule<ShardReason>[]
  /** The rules for the role as they were asked; the last is the one that decided. */
  readonly roleRules: readonly ExplainedRule<RouteReason>[]
  /** The single things that would change the shard or the role. */
  readonly changes: readonly WhatIf[]
  /** The decision in one line. */
  readonly text: string
  /** All of it in words, on many lines. */
  readonly report: string
}

/** What is asked, in the library's terms. */
interface Asked {
  readonly dataSource: DataSource
  readonly intent: Intent
  readonly operation: string
  readonly entity: EntityTarget<ObjectLiteral> | undefined
  readonly subject: string
  readonly sql: string | undefined
  readonly builder: AnyBuilder | undefined
}

const isBuilder = (target: unknown): target is ExplainedBuilder =>
  InstanceChecker.isSelectQueryBuilder(target) ||
  InstanceChecker.isInsertQueryBuilder(target) ||
  InstanceChecker.isUpdateQueryBuilder(target) ||
  InstanceChecker.isDeleteQueryBuilder(target) ||
  InstanceChecker.isSoftDeleteQueryBuilder(target)

const isSql = (target: ExplainTarget): target is ExplainedSql =>
  typeof (target as Partial<ExplainedSql>).sql === 'string'

const ofBuilder = (own: AnyBuilder, operation: string | undefined): Asked => ({
  dataSource: own.dataSource,
  intent: InstanceChecker.isSelectQueryBuilder(own) ? readIntent(own as never) : 'write',
  operation: operation ?? operationOf(own),
  entity: undefined,
  subject: mainMetadata(own)?.name ?? 'the query',
  sql: undefined,
  builder: own,
})

const askedOf = (
  runtime: Runtime,
  target: ExplainTarget,
  operation: ExplainOperation | undefined,
  { shard }: ExplainOptions,
): Asked => {
  if (isBuilder(target)) return ofBuilder(builder(target), operation)
  const dataSource = shard === undefined ? runtime.front : runtime.shard(shard).view
  const sql = isSql(target)
    ? target.sql
    : operation === 'query' && typeof target === 'string'
      ? target
      : undefined
  const entity = isSql(target) || sql !== undefined ? undefined : target
  const name = sql === undefined ? (operation ?? 'find') : 'query'
  const subject = sql ?? entityName(entity) ?? 'the query'
  const intent = operations[name]
  return { dataSource, intent, operation: name, entity, subject, sql, builder: undefined }
}

/** Where a builder goes that was given a query runner: that has been decided. */
const ofRunner = ({ route, shard }: NonNullable<ReturnType<typeof stateOf>>) => ({
  route: { ...route, shardReason: 'runner' } as const,
  topology: shard.topology,
  roleRules: [
    { rule: route.reason, applied: true, why: 'the query runner that was given was opened so' },
  ],
  changes: [],
})

const ofQuestion = (runtime: Runtime, question: Question) => ({
  route: answer(question),
  topology: question.situation.shard,
  roleRules: explainRole(question.situation),
  changes: [...roleWhatIfs(question.situation), ...shardWhatIfs(question, runtime.store.current)],
})

const refuseWrites = ({ isReadOnly, shard }: Route, { intent, sql, operation }: Asked): void => {
  if (isReadOnly && sql !== undefined && isRefusedOnReplica(intent, sql))
    throw new ReadOnlyScopeError(shard, operation)
}

/**
 * The decision that `decide` makes for a target, here and now, with the rules it went by.
 *
 * @throws what the operation itself would throw before anything is sent
 */
export const explain = (
  runtime: Runtime,
  target: ExplainTarget,
  operation: ExplainOperation | undefined,
  options: ExplainOptions,
): Explanation => {
  const asked = askedOf(runtime, target, operation, options)
  const { dataSource, intent, entity } = asked
  const metadata = asked.builder
    ? mainMetadata(asked.builder)
    : runtime.metadataOf(targetOf(dataSource).shard, entity)
  const { shard, by, frame } = targetOf(dataSource, metadata)
  const request = {
    intent,
    operation: asked.operation,
    shard: { name: shard.name, by },
    isReplicated: intent !== 'read' || runtime.isReplicated(metadata),
  }
  const { store, policy, pools } = runtime
  const given = stateOf(asked.builder?.queryRunner)
  const { route, topology, roleRules, changes } =
    given === undefined
      ? ofQuestion(runtime, questionOf(request, frame, store.current, runtime.now(), policy))
      : ofRunner(given)
  refuseWrites(route, asked)
  const candidates = pools.candidatesOf(route, topology)
  const facts = {
    operation: asked.operation,
    subject: asked.subject,
    shard: route.shard,
    shardReason: route.shardReason,
    role: route.role,
    replicaGroup: route.replicaGroup,
    reason: route.reason,
    passedOver: route.passedOver,
    candidates: candidates.map(({ node }) => node),
    skipped: skippedServers(topology, route, candidates, pools.skipped(topology, route)),
    shardRules: explainShard({
      shard: route.shard,
      by: route.shardReason,
      entity: metadata?.name,
      frame,
    }),
    roleRules,
    changes,
  }
  return { ...facts, text: explanationText(facts), report: explanationReport(facts) }
}
