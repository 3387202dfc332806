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
