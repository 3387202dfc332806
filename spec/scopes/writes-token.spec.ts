import { createHmac, createSecretKey } from 'node:crypto'
import { inspect } from 'node:util'
import { expect } from 'chai'
import fc from 'fast-check'
import type { WritesSeal } from '../../lib/config/resolved.js'
import { WritesTokenError, type WritesTokenFailure } from '../../lib/errors.js'
import { everyShard, longestToken, openWrites, sealWrites } from '../../lib/scopes/writes-token.js'

const secrets = ['a', 'b', 'c'].map((letter) => letter.repeat(32))
const sealOf = (issuer: string, first: string, ...rest: string[]): WritesSeal => ({
  keys: [createSecretKey(first, 'utf8'), ...rest.map((secret) => createSecretKey(secret, 'utf8'))],
  issuer,
})
const [a, b, c] = secrets as [string, string, string]
const seal = sealOf('shop', a)
const now = Date.parse('2026-05-01T12:00:00Z')

/** Why a token is refused; undefined if it is not. */
const refusalOf = (token: unknown, at = now, by = seal): WritesTokenFailure | undefined => {
  try {
    openWrites(token, by, at)
    return undefined
  } catch (error) {
    if (error instanceof WritesTokenError) return error.failure
    throw error
  }
}

const shardName = fc.stringMatching(/^[\p{L}\p{N}][\p{L}\p{N}_.:-]{0,20}$/u)
const times = fc
  .uniqueArray(fc.tuple(shardName, fc.integer({ min: 0, max: 4e12 })), {
    minLength: 1,
    maxLength: 12,
    selector: ([name]) => name,
  })
  .map((entries) => new Map(entries))

const writes = new Map([['brazil', now]])
const contentOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()) as Record<string, unknown>
/** As a process signs it that knows the secret. */
const signed = (content: object): string => {
  const text = Buffer.from(JSON.stringify(content)).toString('base64url')
  const signature = createHmac('sha256', a).update(`typeorm-octopus writes ${text}`)
  return `${text}.${signature.digest('base64url')}`
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ,%é'.split(
  '',
)

describe('a writes token', () => {
  it('gives back what was sealed, until it expires', () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 0, max: 10_000 }), (given, lifeMs) => {
        const token = sealWrites(given, now + lifeMs, seal)
        if (lifeMs > 0) expect(openWrites(token, seal, now + lifeMs - 1)).to.deep.equal(given)
        expect(refusalOf(token, now + lifeMs)).to.equal('expired')
      }),
    )
  })

  it('is refused with any of its characters changed, left out or put in', () => {
    fc.assert(
      fc.property(times, fc.nat(), fc.constantFrom(...alphabet), (given, at, character) => {
        const token = sealWrites(given, now + 1, seal)
        const index = at % token.length
        const [before, rest] = [token.slice(0, index), token.slice(index)]
        if (rest[0] !== character)
          expect(refusalOf(before + character + rest.slice(1))).to.equal('forged')
        expect(refusalOf(before + rest.slice(1))).to.equal('forged')
        expect(refusalOf(before + character + rest)).to.equal('forged')
        expect(refusalOf(before)).to.equal('forged')
        expect(refusalOf(token + character)).to.equal('forged')
      }),
    )
  })

  // The last character of a signature has bits that stand for nothing.
  it('is refused with a last character that decodes to the same bytes', () => {
    const token = sealWrites(writes, now + 1, seal)
    const bytes = Buffer.from(token.split('.')[1]!, 'base64url')
    const others = alphabet
      .slice(0, 64)
      .map((character) => token.slice(0, -1) + character)
      .filter((other) => other !== token)
    const alike = others.filter((other) =>
      bytes.equals(Buffer.from(other.split('.')[1]!, 'base64url')),
    )
    expect(alike).to.not.have.length(0)
    expect(others.map((other) => refusalOf(other))).to.deep.equal(Array(63).fill('forged'))
  })

  it('is refused where it is anything else', () => {
    fc.assert(
      fc.property(fc.anything(), (token) => {
        expect(refusalOf(token)).to.equal('forged')
      }),
    )
    for (const token of ['.', '..', 'a.b', `${'a'.repeat(longestToken + 1)}`, '{"w":{"brazil":1}}'])
      expect(refusalOf(token)).to.equal('forged')
  })

  it('is not looked at beyond its greatest length', () => {
    const content = { v: 1, i: contentOf(sealWrites(writes, now, seal))['i'], e: now + 1 }
    const longest = Array.from({ length: longestToken }, (_, count) =>
      signed({ ...content, w: { ['s'.repeat(count + 1)]: now } }),
    ).filter((token) => token.length <= longestToken + 4)
    expect(longest.at(-1)).to.have.length.above(longestToken)
    for (const token of longest)
      expect(refusalOf(token)).to.equal(token.length > longestToken ? 'forged' : undefined)
  })

  it('holds while its secret is replaced: signed by the first of a list, accepted from all', () => {
    const old = sealWrites(writes, now + 1, sealOf('shop', a))
    const both = sealOf('shop', b, a)
    expect(openWrites(old, both, now)).to.deep.equal(writes)
    const renewed = sealWrites(writes, now + 1, both)
    expect(openWrites(renewed, sealOf('shop', b), now)).to.deep.equal(writes)
    expect(openWrites(renewed, sealOf('shop', a, b), now)).to.deep.equal(writes)
    expect(refusalOf(renewed, now, sealOf('shop', a))).to.equal('forged')
    expect(refusalOf(old, now, sealOf('shop', b, c))).to.equal('forged')
  })

  it('is foreign to every other issuer of the same secret, and does not name its own', () => {
    const name = fc.string({ minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(name, name, (one, other) => {
        fc.pre(one !== other)
        const token = sealWrites(writes, now + 1, sealOf(one, a))
        expect(refusalOf(token, now, sealOf(other, a))).to.equal('foreign')
        expect(token).to.have.length.below(200)
      }),
    )
    const token = sealWrites(writes, now + 1, sealOf('warehouse', a))
    expect(JSON.stringify(contentOf(token))).to.not.contain('warehouse')
  })

  it('is foreign when it is of another version', () => {
    const content = contentOf(sealWrites(writes, now + 1, seal))
    expect(refusalOf(signed(content))).to.equal(undefined)
    expect(refusalOf(signed({ ...content, v: 2 }))).to.equal('foreign')
  })

  it('is foreign, whatever its age', () => {
    const other = sealOf('elsewhere', a)
    const old = sealWrites(writes, now - 1, other)
    expect(refusalOf(old)).to.equal('foreign')
    expect(refusalOf(old, now, other)).to.equal('expired')
  })

  it('is short, and tells of every shard where their names would make it too long', () => {
    const shards = (count: number) =>
      new Map(Array.from({ length: count }, (_, at) => [`shard-${at}`, now + at]))
    expect(sealWrites(writes, now + 1, seal)).to.have.length.below(150)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1500 }), (count) => {
        const token = sealWrites(shards(count), now + 1, seal)
        expect(token.length).to.be.at.most(longestToken)
        const told = openWrites(token, seal, now)
        if (!told.has(everyShard)) expect(told).to.deep.equal(shards(count))
        else expect([...told]).to.deep.equal([[everyShard, now + count - 1]])
      }),
      { numRuns: 30 },
    )
    expect(openWrites(sealWrites(shards(20), now + 1, seal), seal, now)).to.have.property(
      'size',
      20,
    )
  })

  it('shows neither secret nor content when it is refused or inspected', () => {
    const token = sealWrites(writes, now, seal)
    const shown = [inspect(seal, { depth: 9, showHidden: true, getters: true })]
    for (const [given, by] of [
      [token, seal],
      [`${token}x`, seal],
      [token, sealOf('other', a)],
    ] as const)
      try {
        openWrites(given, by, now)
        expect.fail('was accepted')
      } catch (error) {
        expect(error).to.be.instanceOf(WritesTokenError)
        shown.push(inspect(error, { depth: 9, showHidden: true, getters: true }))
      }
    for (const text of shown) {
      expect(text).to.not.contain(a)
      expect(text).to.not.contain(token)
      expect(text).to.not.contain(token.split('.')[0])
      expect(text).to.not.contain('brazil')
    }
  })
})
