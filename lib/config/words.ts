/** The engines a shard can have; the default shard alone may be of any TypeORM type. */
export const engines = ['mysql', 'mariadb', 'postgres', 'sqljs', 'better-sqlite3'] as const
export type Engine = (typeof engines)[number]

/** Engines that share their options: mysql and mariadb differ in `type` only. */
export type EngineFamily = Exclude<Engine, 'mariadb'>

export const isEngine = (type: unknown): type is Engine =>
  (engines as readonly unknown[]).includes(type)

export const familyOf = (engine: Engine): EngineFamily => (engine === 'mariadb' ? 'mysql' : engine)

/** The words accepted for a role, and what each means. */
export const roleWords = {
  replica: 'replica',
  primary: 'primary',
  slave: 'replica',
  master: 'primary',
} as const
export type RoleWord = keyof typeof roleWords

/** The words accepted for what happens when a shard has no replica to read from. */
export const fallbackWords = { primary: 'primary', error: 'error', master: 'primary' } as const
export type FallbackWord = keyof typeof fallbackWords

export const connectWords = ['lazy', 'eager'] as const
export type ConnectWord = (typeof connectWords)[number]

/** When a connection is verified before it is lent. */
export const verifyWords = ['never', 'idle', 'after-error', 'always'] as const
export type VerifyWord = (typeof verifyWords)[number]

/** What a comment in a statement can tell. */
export const sqlCommentWords = ['shard', 'role', 'reason', 'routeId'] as const
export type SqlCommentWord = (typeof sqlCommentWords)[number]

/** What it tells where that is not said: nothing that is different each time. */
export const defaultSqlComment: readonly SqlCommentWord[] = ['shard', 'role', 'reason']

/** Whether connections are kept for the next caller or opened for each. */
export const connectionsWords = ['pooled', 'throwaway'] as const
export type ConnectionsWord = (typeof connectionsWords)[number]

/** The built-in verifiers that take no argument. */
export const verifierWords = ['ping', 'mysql-writer', 'aurora-writer', 'pg-writer'] as const
export type VerifierWord = (typeof verifierWords)[number]

/** A verifier as a configuration names it; an object with `verify` in code only. */
export type DeclaredVerifier = VerifierWord | { readonly replicaLagMs: number } | object

/** The engine that a verifier is for; those that are not listed are for each. */
export const verifierFamilies: Readonly<Record<string, 'mysql' | 'postgres'>> = {
  'mysql-writer': 'mysql',
  'aurora-writer': 'mysql',
  'pg-writer': 'postgres',
}

/** Which migrations of a shard share a transaction, in TypeORM's words. */
export const migrationTransactionWords = ['all', 'each', 'none'] as const
export type MigrationTransactionWord = (typeof migrationTransactionWords)[number]

/** What a migration that fails on one shard means for the others. */
export const migrationFailureWords = ['stop', 'continue'] as const
export type MigrationFailureWord = (typeof migrationFailureWords)[number]

/** What stands for the default shard, and for every shard, where migrations say where they run. */
export const migrationTargetWords = ['default', 'all'] as const
