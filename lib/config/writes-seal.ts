import { type KeyObject, createSecretKey } from 'node:crypto'
import type { OctopusOptions } from './options.js'
import type { WritesSeal } from './resolved.js'

/** Keeps a secret in a form that nothing shows. */
const keyOf = (secret: string): KeyObject => createSecretKey(secret, 'utf8')

/**
 * What signs the writes that one process tells another, if there is a secret for it.
 *
 * @param name - the issuer where none is given
 */
export const resolveSeal = (
  { secret = [], issuer = '' }: NonNullable<OctopusOptions['readYourWrites']>,
  name: string,
): WritesSeal | undefined => {
  const [first, ...rest] = typeof secret === 'string' ? [secret] : secret
  if (first === undefined) return undefined
  const keys = Object.freeze([keyOf(first), ...rest.map(keyOf)] as const)
  return Object.freeze({ keys, issuer: issuer || name })
}
