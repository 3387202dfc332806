import { createSecretKey } from 'node:crypto'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { main, resolved, withFile, withVariables } from './support.js'

const secret = 'a secret of thirty-two characters'
const older = `an older ${secret}`
const readYourWrites = { secret }
const keyOf = (text: string) => createSecretKey(text, 'utf8')

/** Whether these are the keys of a configuration, in this order. */
const expectKeys = (options: unknown, ...secrets: readonly string[]): void => {
  const keys = resolved(options).writesSeal?.keys ?? []
  expect(keys.map((key, at) => key.equals(keyOf(secrets[at] ?? '?')))).to.deep.equal(
    secrets.map(() => true),
  )
}

describe('the secret that signs writes', () => {
  it('may be one, or a list with the one that signs first', () => {
    expectKeys({ readYourWrites: { secret } }, secret)
    expectKeys({ readYourWrites: { secret: [secret, older] } }, secret, older)
    expect(resolved({}).writesSeal).to.equal(undefined)
    expect(resolved({ readYourWrites: { secret: undefined } }).writesSeal).to.equal(undefined)
  })

  it('may come from a variable of a file', () => {
    withVariables({ OCTOPUS_SPEC_SECRET: secret, OCTOPUS_SPEC_DIGITS: '1'.repeat(32) }, () => {
      withFile('readYourWrites: { secret: "${OCTOPUS_SPEC_SECRET}" }', (path) =>
        expectKeys(path, secret),
      )
      withFile(
        'readYourWrites:\n  secret:\n    - ${OCTOPUS_SPEC_DIGITS}\n    - ${OCTOPUS_SPEC_SECRET}',
        (path) => expectKeys(path, '1'.repeat(32), secret),
      )
    })
  })

  it('is not shown by what the configuration becomes', () => {
    const config = resolved({ readYourWrites: { secret: [secret, older] } })
    expect(inspect(config, { depth: 9, showHidden: true, getters: true })).to.not.contain(secret)
    expect(JSON.stringify(config)).to.not.contain(secret)
  })
})

describe('the issuer of writes', () => {
  const url = 'mysql://app:x@main:1/shop%20one'
  for (const [title, options, source, issuer] of [
    ['as it is given', { readYourWrites: { secret, issuer: 'till' } }, main, 'till'],
    ["the default shard's database", { readYourWrites }, main, 'shop'],
    ['the database of its URL', { readYourWrites }, { type: 'mysql', url }, 'shop one'],
    [
      'the database of its URL, with shards beside it',
      { readYourWrites, shards: { a: { host: 'a' } } },
      { type: 'mysql', url },
      'shop one',
    ],
    ['the database of another type', { readYourWrites }, { type: 'mssql', database: 'm' }, 'm'],
    ["the default shard's name without one", { readYourWrites }, { type: 'sqljs' }, 'master'],
    [
      'that name where the database is no text',
      { readYourWrites, defaultShard: 'till' },
      { type: 'sqljs', database: new Uint8Array() },
      'till',
    ],
  ] as const)
    it(`is ${title}`, () => {
      expect(resolved(options, source).writesSeal?.issuer).to.equal(issuer)
    })
})
