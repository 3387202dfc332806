import { z } from 'zod'
import { connectionsWords, verifierWords, verifyWords } from './words.js'

const milliseconds = z.int().nonnegative()

/** The built-in verifier that takes an argument. */
export const lagShape = { replicaLagMs: z.int().positive() }

const verifier = z.union(
  [
    z.enum(verifierWords),
    z.strictObject(lagShape),
    z
      .custom<object>(
        (value) =>
          typeof value === 'object' &&
          value !== null &&
          'name' in value &&
          typeof value.name === 'string' &&
          'verify' in value &&
          typeof value.verify === 'function',
      )
      .meta({ codeOnly: true }),
  ],
  `expected ${verifierWords.join(', ')}, { replicaLagMs: … } or (in code) { name, verify }`,
)

/** How connections are kept; at the top level, or for a shard. */
export const poolShape = {
  acquireTimeoutMs: milliseconds.describe(
    'Milliseconds to wait for a free connection; 0 waits for ever. Default: 10000.',
  ),
  verify: z
    .union(
      [z.enum(verifyWords), z.array(z.enum(verifyWords)).min(1).readonly()],
      `expected one of ${verifyWords.join(', ')}, or a list of them`,
    )
    .describe('When a connection is verified before it is lent. Default: idle and after-error.'),
  verifyIdleMs: milliseconds.describe(
    'From how many milliseconds of rest on "idle" verifies. Default: 30000.',
  ),
  verifyTimeoutMs: z
    .int()
    .positive()
    .describe('Milliseconds one verification may take. Default: 2000.'),
  verifiers: z
    .array(verifier)
    .readonly()
    .describe('What is verified beside a ping. Default: on primaries, that they take writes.'),
  idleTimeoutMs: z
    .int()
    .positive()
    .describe("Milliseconds after which a connection that rests is closed. Default: the driver's."),
  maxLifetimeMs: milliseconds.describe(
    'Milliseconds after which a connection is replaced; 0 is never. Default: 0.',
  ),
  queryTimeoutMs: milliseconds.describe(
    'Milliseconds a statement may take before its connection is closed; 0 is no limit. Default: 0.',
  ),
  connections: z
    .enum(connectionsWords)
    .describe('Keeps connections for the next use, or closes each after its own. Default: pooled.'),
  drainMs: milliseconds.describe(
    'Milliseconds running statements have when connections are closed. Default: 5000.',
  ),
  fallbackLimit: z
    .int()
    .positive()
    .describe(
      'The most connections of a primary that reads take while no replica is available. Default: half of its pool.',
    ),
}
