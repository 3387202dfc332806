export {
  type ConnectionOptions,
  type Engine,
  type MigrationOptions,
  type NodeOptions,
  type OctopusOptions,
  type PoolOptions,
  type ReplicaOptions,
  type ShardOptions,
  type ShardSettings,
  type UnshardedOptions,
  engines,
  loadConfig,
} from './config/index.js'
export type { ServerAddress } from './config/server.js'
export type { ContextCarrier } from './context/carrier.js'
export { type ClsNamespace, clsHookedCarrier } from './context/cls-hooked.js'
export type { Frame } from './context/frame.js'
export {
  AcquireTimeoutError,
  AlreadyWrappedError,
  BootstrapError,
  CarrierConflictError,
  ConfigError,
  type ConfigProblem,
  ConnectError,
  type ConnectFailure,
  CrossShardError,
  DestructiveSchemaError,
  EngineMismatchError,
  type ErrorCode,
  type ErrorStage,
  FanOutError,
  InvalidDecoratorError,
  InvalidScopeError,
  MigrationLockError,
  type MigrationLockFailure,
  type MigrationLockKind,
  MigrationPlanError,
  type MigrationProblem,
  NoDataSourceError,
  NoReplicaError,
  OctopusError,
  PendingMigrationsError,
  PoolClosedError,
  type PoolHolders,
  type PoolNumbers,
  QueryTimeoutError,
  ReadOnlyScopeError,
  SchemaDiffersError,
  type SchemaDrops,
  SchemaDropsError,
  ScopeEndedError,
  ShardNotEmptyError,
  UnknownGroupError,
  UnknownNodeError,
  UnknownReplicaGroupError,
  UnknownShardError,
  WritesTokenError,
  type WritesTokenFailure,
  connectFailures,
  errorCodes,
} from './errors.js'
export type { ShardSelection } from './migrations/assignment.js'
export type { LeftBehind, ShardEffects } from './migrations/effects.js'
export type {
  MigrationEvent,
  MigrationEventBody,
  MigrationEventError,
} from './migrations/events.js'
export {
  type MigrationDrift,
  type MigrationPlan,
  type MigrationState,
  type PlannedMigration,
  type ShardPlan,
  pendingOn,
} from './migrations/plan.js'
export {
  type FinishedMigration,
  type MigrationDirection,
  type MigrationReport,
  MigrationRunError,
  type RunOutcome,
  type ShardFailure,
  type ShardOutcome,
  type ShardReport,
} from './migrations/report.js'
export type { MigrationStatus, ShardState, ShardStatus } from './migrations/status.js'
export { MigrateOn, type MigrationTargets } from './migrations/targets.js'
export type { Inspector, InspectorOptions } from './inspector/options.js'
export { type FailureKind, isFailoverError, isRetryable } from './pool/failure.js'
export type { VerifiedConnection } from './pool/lease.js'
export type { Verifier } from './pool/verify.js'
export type { PoolState } from './pool/opening.js'
export type { PoolCounts } from './pool/journal.js'
export type { PoolEvent, PoolHappening, PoolListener } from './pool/listeners.js'
export type { PoolInfo } from './pool/registry.js'
export type { ExportWritesOptions, ScopeOptions } from './scopes/carried-writes.js'
export type { FanOutOptions, ShardSettled, ShardValue } from './scopes/fan-out.js'
export type { ShardTargets } from './scopes/targets.js'
export { type DifferenceKind, type SchemaDifference, differenceKinds } from './schema/difference.js'
export { using, usingAll, usingGroup, usingPrimary, usingReplica } from './scopes/module-level.js'
export type { ReplicaScope, Traced } from './scopes/scopes.js'
export { type ConsoleTraceOptions, consoleTrace, formatRouteEvent } from './trace/console.js'
export type {
  Role,
  RouteEvent,
  RouteEventError,
  RouteEventKind,
  RouteReason,
  ShardReason,
  SkippedNode,
} from './trace/event.js'
export type { RouteFilter } from './trace/filter.js'
export { type RouteListener, type RouteListenerOptions, routeChannelName } from './trace/hub.js'
export type {
  StatementObserve,
  StatementObserveOptions,
  StatementObserver,
  StatementStart,
} from './trace/observers.js'
export { type BatchOptions, inBatches } from './typeorm/batches.js'
export type { ConnectionProxy, OctopusMembers } from './typeorm/connection-proxy.js'
export type { OctopusControl } from './typeorm/control.js'
export type { ExplainedRule } from './router/explain-role.js'
export type { WhatIf } from './router/what-if.js'
export type {
  ExplainOperation,
  ExplainOptions,
  ExplainTarget,
  ExplainedBuilder,
  ExplainedSql,
  Explanation,
} from './typeorm/explain.js'
export type { ExplainedScope, RememberedWrite, ScopeExplanation } from './typeorm/explain-scope.js'
export type { ClearsKeys } from './typeorm/keyed-cache.js'
export type { MigrationControl } from './typeorm/migrations/control.js'
export { type RunnerShards, octopusOf } from './typeorm/migrations/migration-work.js'
export type {
  MigrationPlanOptions,
  MigrationRevertOptions,
  MigrationRunOptions,
} from './typeorm/migrations/options.js'
export { ShardMigration } from './typeorm/migrations/typeorm-calls.js'
export { octopus, shardVariable } from './typeorm/octopus.js'
export type { CheckNodesOptions, NodesCheck } from './typeorm/node-check/check-nodes.js'
export type {
  NodeFacts,
  NodeFailure,
  ReplicationFacts,
  ServerFacts,
} from './typeorm/node-check/facts.js'
export type { NodeFinding, NodeFindingKind } from './typeorm/node-check/finding.js'
export { Replicated } from './typeorm/replicated.js'
export type { SchemaControl } from './typeorm/schema/schema-control.js'
export type { SchemaDiff, SchemaDiffOptions, ShardSchemaDiff } from './typeorm/schema/diff.js'
export type {
  SchemaPlanOptions,
  SchemaSync,
  SchemaSyncOptions,
  ShardSchemaSync,
} from './typeorm/schema/sync.js'
export type {
  BootstrapOptions,
  BootstrapReport,
  BootstrapStep,
} from './typeorm/schema/bootstrap.js'
export type { Seed, SeedOptions } from './typeorm/seed.js'
export { Shard, type ShardDecorator, type ShardOf } from './typeorm/shard-decorator.js'
export type { AddShardOptions } from './typeorm/topology-changes.js'
export type {
  NodeDescription,
  ShardDescription,
  TopologyDescription,
} from './typeorm/topology-description.js'
export { Unsharded, type UnshardedSettings } from './typeorm/unsharded.js'
export type {
  DisconnectOptions,
  VerifiedNode,
  VerifyOptions,
  WarmOptions,
} from './typeorm/pool-control.js'
export { workersVariable } from './typeorm/pool-settings.js'
export type { ClusterHooks, ConnectionBudget } from './typeorm/processes.js'
export { CommitUnknownError, type ErrorSite, errorSite } from './typeorm/statement-failures.js'
export { AURORA_WRITER, MYSQL_WRITER, PG_WRITER, PING, REPLICA_LAG } from './typeorm/verifiers.js'
