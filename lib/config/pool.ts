import type { PoolOptions } from './options.js'
import type { Path, Problems } from './problems.js'
import type { ResolvedPool } from './resolved.js'
import {
  type DeclaredVerifier,
  type EngineFamily,
  type VerifyWord,
  verifierFamilies,
  verifierWords,
} from './words.js'

/** The keys of `PoolOptions`. */
export const poolKeys = [
  'acquireTimeoutMs',
  'verify',
  'verifyIdleMs',
  'verifyTimeoutMs',
  'verifiers',
  'idleTimeoutMs',
  'maxLifetimeMs',
  'queryTimeoutMs',
  'connections',
  'drainMs',
  'fallbackLimit',
] as const satisfies readonly (keyof PoolOptions)[]

/** Keys that mean something for a file too. */
const forFiles: ReadonlySet<string> = new Set(['acquireTimeoutMs', 'drainMs'])

const wordsFor = (family: EngineFamily): string =>
  verifierWords
    .filter((word) => verifierFamilies[word] === undefined || verifierFamilies[word] === family)
    .join(', ')

const wordsOf = (verify: PoolOptions['verify'] = ['idle', 'after-error']): readonly VerifyWord[] =>
  Object.freeze([...new Set(typeof verify === 'string' ? [verify] : verify)])

/**
 * Checks what is written in one place, without regard to an engine.
 *
 * @param inherited - when verification happens where that place does not say it
 */
export const checkPool = (
  own: PoolOptions,
  inherited: PoolOptions['verify'],
  path: Path,
  problems: Problems,
): void => {
  // a value that was wrong is not there any more
  if (problems.covers([...path, 'verify'])) return
  const when = wordsOf(own.verify ?? inherited)
  if (!when.includes('never')) return
  const others = when.filter((word) => word !== 'never')
  if (others.length > 0) {
    // what is inherited has been reported where it stands
    if (own.verify !== undefined)
      problems.report(
        [...path, 'verify'],
        `has "never" and "${others.join('", "')}"; keep one of them`,
      )
  } else if (own.verifiers !== undefined)
    problems.report(
      [...path, 'verifiers'],
      own.verify === undefined
        ? 'would never run, since "verify" is "never" at the top level; remove them, or give the shard a "verify" of its own'
        : 'would never run, since "verify" is "never"; remove one of them',
    )
}

/** Checks what a shard says itself, or inherits, against its engine. */
export const checkPoolFor = (
  own: PoolOptions,
  family: EngineFamily,
  path: Path,
  problems: Problems,
): void => {
  if (family === 'sqljs' || family === 'better-sqlite3') {
    for (const key of poolKeys)
      if (own[key] !== undefined && !forFiles.has(key))
        problems.report(
          [...path, key],
          `${family} has one connection to a file, and no pool; remove it`,
        )
    return
  }
  own.verifiers?.forEach((verifier: DeclaredVerifier, index) => {
    if (typeof verifier !== 'string') return
    const wanted = verifierFamilies[verifier]
    if (wanted !== undefined && wanted !== family)
      problems.report(
        [...path, 'verifiers', index],
        `"${verifier}" is not for ${family}; known here: ${wordsFor(family)}, or { replicaLagMs: … }`,
      )
  })
}

/** The settings of a shard's pools: its own, then those of the top level, then the defaults. */
export const resolvePool = (own: PoolOptions, top: PoolOptions): ResolvedPool =>
  Object.freeze({
    acquireTimeoutMs: own.acquireTimeoutMs ?? top.acquireTimeoutMs ?? 10_000,
    verify: wordsOf(own.verify ?? top.verify),
    verifyIdleMs: own.verifyIdleMs ?? top.verifyIdleMs ?? 30_000,
    verifyTimeoutMs: own.verifyTimeoutMs ?? top.verifyTimeoutMs ?? 2000,
    verifiers: own.verifiers ?? top.verifiers,
    idleTimeoutMs: own.idleTimeoutMs ?? top.idleTimeoutMs,
    maxLifetimeMs: own.maxLifetimeMs ?? top.maxLifetimeMs ?? 0,
    queryTimeoutMs: own.queryTimeoutMs ?? top.queryTimeoutMs ?? 0,
    connections: own.connections ?? top.connections ?? 'pooled',
    drainMs: own.drainMs ?? top.drainMs ?? 5000,
    fallbackLimit: own.fallbackLimit ?? top.fallbackLimit,
  })
