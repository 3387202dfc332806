import { OctopusError } from './base.js'
import { listed } from './text.js'

/** One thing that is wrong in a configuration. */
export interface ConfigProblem {
  /** Where it stands, such as `shards.brazil.replicas[0].host`. */
  readonly path: string
  /** What is wrong, and what to do about it. */
  readonly message: string
}

/** The configuration is wrong. Carries every problem found, not only the first. */
export class ConfigError extends OctopusError {
  readonly problems: readonly ConfigProblem[]
  /** The file that was read, if the configuration came from one. */
  readonly file: string | undefined

  constructor(problems: readonly ConfigProblem[], options: ErrorOptions & { file?: string } = {}) {
    const where = options.file === undefined ? 'octopus options' : options.file
    const lines = problems.map(({ path, message }) =>
      path === '' ? `  - ${message}` : `  - ${path}: ${message}`,
    )
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    super('invalid-config', 'configure', [`${where}: ${count}`, ...lines].join('\n'), options)
    this.problems = problems
    this.file = options.file
  }
}

/** A server was named that a shard does not have. */
export class UnknownNodeError extends OctopusError {
  readonly shard: string
  readonly node: string
  readonly known: readonly string[]

  /** @param kind - what was looked for: a server of the shard, or one of its replicas */
  constructor(shard: string, node: string, kind: 'node' | 'replica', known: readonly string[]) {
    super(
      'unknown-node',
      'configure',
      `Shard "${shard}" has no ${kind} "${node}"; its ${kind}s: ${listed(known)}.`,
    )
    this.shard = shard
    this.node = node
    this.known = known
  }
}

/** A module-level function was called while there is not exactly one wrapped data source. */
export class NoDataSourceError extends OctopusError {
  readonly count: number

  constructor(call: string, count: number) {
    super(
      'no-data-source',
      'route',
      count === 0
        ? `${call} found no wrapped data source; call octopus(dataSource, …) first, or use the method of the data source that octopus() returned.`
        : `${call} found ${count} wrapped data sources and cannot choose; call the method of the one you mean: db.${call}.`,
    )
    this.count = count
  }
}

/** A data source was wrapped that is a wrapped one already. */
export class AlreadyWrappedError extends OctopusError {
  constructor(what: string) {
    super(
      'already-wrapped',
      'configure',
      `${what} is already wrapped by octopus(); use the ConnectionProxy that the first call returned.`,
    )
  }
}

/** A second, different carrier of the context was asked for in one process. */
export class CarrierConflictError extends OctopusError {
  constructor(active: string, wanted: string) {
    super(
      'carrier-conflict',
      'configure',
      `The routing context is already carried by ${active}; a process has one carrier, so ${wanted} cannot be used. Pass the same carrier to every octopus() call, before the first scope.`,
    )
  }
}

/** A decorator was put where it cannot work, or yielded something that is not a shard's name. */
export class InvalidDecoratorError extends OctopusError {
  constructor(message: string) {
    super('invalid-decorator', 'route', message)
  }
}
