/** Where in a statement's life an error arose: before, at or after connecting. */
export type ErrorStage = 'configure' | 'route' | 'acquire' | 'connect' | 'query'

/** Every stable error code of the library; `docs/errors.md` has an entry for each. */
export const errorCodes = [
  'invalid-config',
  'unknown-shard',
  'unknown-group',
  'unknown-replica-group',
  'unknown-node',
  'invalid-scope',
  'writes-token',
  'no-data-source',
  'already-wrapped',
  'carrier-conflict',
  'invalid-decorator',
  'no-replica',
  'read-only-scope',
  'cross-shard',
  'engine-mismatch',
  'destructive-schema',
  'fan-out',
  'migration-plan',
  'migration-lock',
  'migration-run',
  'schema-drops',
  'shard-not-empty',
  'bootstrap',
  'schema-differs',
  'pending-migrations',
  'acquire-timeout',
  'pool-closed',
  'scope-ended',
  'connect',
  'query-timeout',
] as const

export type ErrorCode = (typeof errorCodes)[number]

const brand = Symbol.for('typeorm-octopus.error')

/**
 * Base of every error the library makes itself. A database's own error is never wrapped: it passes
 * through as TypeORM or the driver threw it.
 *
 * `instanceof` compares by name through a registered symbol, so it holds across two copies of the
 * package in one process.
 */
export class OctopusError extends Error {
  /** One of `errorCodes`; that of the driver on a `ConnectError` that has one. */
  readonly code: string
  readonly stage: ErrorStage

  constructor(code: ErrorCode, stage: ErrorStage, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.stage = stage
    this.name = new.target.name
  }

  /** The names of the error's classes, from its own to the base. */
  get [brand](): string[] {
    const names: string[] = []
    for (
      let proto: object = Object.getPrototypeOf(this);
      proto !== Error.prototype;
      proto = Object.getPrototypeOf(proto)
    )
      names.push(proto.constructor.name)
    return names
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null || !(brand in value)) return false
    const names = value[brand]
    return Array.isArray(names) && names.includes(this.name)
  }
}
