import { type KeyObject, createHmac, timingSafeEqual } from 'node:crypto'
import type { WritesSeal } from '../config/resolved.js'
import { WritesTokenError } from '../errors.js'

/** When each shard was last written, in whole milliseconds of the wall clock. */
export type WriteTimes = ReadonlyMap<string, number>

/** Stands for every shard, where there are too many to name. No shard's name begins so. */
export const everyShard = '*'

/** Longer ones are not looked at. A cookie holds twice as much. */
export const longestToken = 2048

const version = 1

/** What is signed, in few characters. */
interface Content {
  readonly v: number
  /** A mark of the issuer; its name is nobody's business who holds the token. */
  readonly i: string
  /** When it expires. */
  readonly e: number
  readonly w: Readonly<Record<string, number>>
}

/** The first words keep the uses of one secret apart, here and wherever else it may sign. */
const digest = (key: KeyObject, use: 'issuer' | 'writes', text: string): string =>
  createHmac('sha256', key).update(`typeorm-octopus ${use} ${text}`).digest('base64url')

const markOf = (issuer: string, key: KeyObject): string => digest(key, 'issuer', issuer).slice(0, 8)

const signed = (content: Content, key: KeyObject): string => {
  const text = Buffer.from(JSON.stringify(content)).toString('base64url')
  return `${text}.${digest(key, 'writes', text)}`
}

/**
 * A token that tells of `writes`, of which there is one at least. Whoever holds it can read the names
 * of the shards in it and the times, and change nothing.
 *
 * @param expiresAt - milliseconds of the wall clock, from which on it is refused
 */
export const sealWrites = (
  writes: WriteTimes,
  expiresAt: number,
  { keys: [key], issuer }: WritesSeal,
): string => {
  const content = { v: version, i: markOf(issuer, key), e: expiresAt }
  const token = signed({ ...content, w: Object.fromEntries(writes) }, key)
  if (token.length <= longestToken) return token
  // For a while, reads of shards that were not written go to their primaries too: nothing worse.
  return signed({ ...content, w: { [everyShard]: Math.max(...writes.values()) } }, key)
}

/** Compares signatures as texts: several texts stand for the same bytes. */
const isSame = (one: string, other: string): boolean => {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * What a token tells of.
 *
 * @param token - from outside: anything at all
 * @param now - milliseconds of the wall clock
 * @throws WritesTokenError for all but a token of this seal, as it was given out, before it expires
 */
export const openWrites = (
  token: unknown,
  { keys, issuer }: WritesSeal,
  now: number,
): WriteTimes => {
  if (typeof token !== 'string' || token.length > longestToken) throw new WritesTokenError('forged')
  const [text = '', signature = '', ...rest] = token.split('.')
  const key = keys.find((each) => isSame(digest(each, 'writes', text), signature))
  if (key === undefined || rest.length > 0) throw new WritesTokenError('forged')
  // Whoever signed it knows the secret, so it is what its version says it is.
  const { v, i, e, w } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Content
  if (v !== version || i !== markOf(issuer, key)) throw new WritesTokenError('foreign')
  if (now >= e) throw new WritesTokenError('expired')
  return new Map(Object.entries(w))
}
