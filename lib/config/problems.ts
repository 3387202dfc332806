import { ConfigError, type ConfigProblem } from '../errors.js'

export type Path = readonly (string | number)[]

/** Writes a path as users read it: `shards.brazil.replicas[0].host`. */
export const formatPath = (path: Path): string =>
  path
    .map((part, depth) =>
      typeof part === 'number' ? `[${part}]` : depth === 0 ? part : `.${part}`,
    )
    .join('')

const startsWith = (path: Path, start: Path): boolean =>
  start.every((part, depth) => path[depth] === part)

/**
 * Collects everything that is wrong, so that one run reports it all. Messages never contain a
 * value of the configuration, since any value may be a password; names and hosts are what they show.
 */
export class Problems {
  readonly #found: { path: Path; problem: ConfigProblem }[] = []
  /** Paths whose values were taken out because of a problem reported elsewhere. */
  readonly #missing: Path[] = []

  get count(): number {
    return this.#found.length
  }

  report(path: Path, message: string): void {
    this.#found.push({ path, problem: { path: formatPath(path), message } })
  }

  /** Reports something that has a place in the text rather than in the data. */
  reportAt(place: string, message: string): void {
    this.#found.push({ path: [], problem: { path: place, message } })
  }

  /** Notes that a value is missing for a reason that has been reported, perhaps for another path. */
  noteMissing(path: Path): void {
    this.#missing.push(path)
  }

  /** The paths of everything reported or missing at or beneath a path. */
  beneath(path: Path): Path[] {
    return [...this.#found.map((found) => found.path), ...this.#missing].filter(
      (damaged) => damaged.length >= path.length && startsWith(damaged, path),
    )
  }

  /** Whether a value cannot be judged because it, or something around it, is known to be wrong. */
  covers(path: Path): boolean {
    return [...this.#found.map((found) => found.path), ...this.#missing].some(
      (damaged) => damaged.length > 0 && startsWith(path, damaged),
    )
  }

  throwIfAny(file: string | undefined, cause?: unknown): void {
    if (this.#found.length === 0) return
    throw new ConfigError(
      this.#found.map(({ problem }) => problem),
      { ...(file === undefined ? {} : { file }), ...(cause === undefined ? {} : { cause }) },
    )
  }
}
