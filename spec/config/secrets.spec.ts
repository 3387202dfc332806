import { inspect } from 'node:util'
import { expect } from 'chai'
import { configErrorOf, resolved, withFile, withVariables } from './support.js'

const secret = 'hunter2'

/** Checks everything about an error that may reach a log. */
const expectSilence = (work: () => unknown): void => {
  const error = configErrorOf(work)
  expect(error.problems).not.to.have.length(0)
  expect(inspect(error, { depth: 9, showHidden: true })).not.to.include(secret)
  expect(JSON.stringify(error)).not.to.include(secret)
}

const url = `mysql://app:${secret}@main:1/shop`

describe('a password', () => {
  for (const [title, options, defaults] of [
    ['of the wrong type', { shards: { a: { host: 'a', password: [secret] } } }],
    ['as a shard', { shards: { a: secret } }],
    ['as a list', { replicas: secret }],
    ['as a replica', { replicas: [secret] }],
    ['as an engine', { shards: { a: { type: secret, host: 'a' } } }],
    ['as a number', { shards: { a: { host: 'a', port: secret } }, acquireTimeoutMs: secret }],
    [
      'as a choice',
      { reads: secret, logging: secret, shards: { a: { host: 'a', logging: secret } } },
    ],
    ['in the key itself', { shards: { a: { [`password:${secret}`]: null } } }],
    ['in the name of a shard', { shards: { [`a password: ${secret}`]: {} } }],
    [
      'in the URL of a shard without a name of its own',
      { shards: { a: { url, replicas: [{ url }] } } },
    ],
    ['in a URL of another engine', { shards: { a: { type: 'postgres', url } } }],
    [
      'in a URL that cannot be read',
      { shards: { a: { url: `mysql://app:x/${secret}@main/shop` } } },
    ],
    ['in a URL that is a host', { shards: { a: { host: { url } } } }],
    [
      'in the parameters of a URL',
      { shards: { a: { url: `mysql://main/shop?password=${secret}` } } },
    ],
    ['beside a URL', { shards: { a: { url, password: secret, host: 'x' } } }],
    ['in extra', { shards: { a: { host: 'a', extra: { host: secret, password: secret } } } }],
    ['of another engine', { shards: { a: { type: 'postgres', host: 'a', key: secret } } }],
    ['of the DataSource', { replicas: [{ host: 'main', port: 1 }] }, { type: 'mysql', url }],
    [
      'in a bad URL of the DataSource',
      { replicas: [{ host: 'r' }] },
      { type: 'postgres', url: `${url}/${secret}@` },
    ],
    [
      'of a DataSource of another type',
      { replicas: [{ host: 'r' }] },
      { type: 'mssql', password: secret, url },
    ],
    [
      'of replication',
      { replicas: [{ host: 'r' }] },
      { type: 'mysql', replication: { master: { url, password: secret } } },
    ],
    ['as a secret that is too short', { readYourWrites: { secret } }],
    ['as a secret in a list', { readYourWrites: { secret: [secret] }, reads: secret }],
    ['as a secret of the wrong type', { readYourWrites: { secret: { secret } } }],
    ['as what reads follow', { readYourWrites: secret }],
    ['shared with a server', { replicas: [{ host: 'main', password: secret }] }],
  ] as const)
    it(`is not shown ${title}`, () => expectSilence(() => resolved(options, defaults)))

  for (const [title, text] of [
    ['in an unclosed quote', `shards: { a: { password: "${secret} } }`],
    ['after an alias mark', `shards: { a: { password: *${secret} } }`],
    ['after a tag mark', `shards: { a: { password: !${secret} } }`],
    ['after an anchor mark', `shards:\n  a:\n    password: &${secret} &${secret} x`],
    ['after a reserved mark', `shards: { a: { password: @${secret} } }`],
    ['after a bar', `shards:\n  a:\n    password: |${secret}\n      x`],
    ['with a colon', `shards:\n  a:\n    password: x: ${secret}`],
    ['without the space', `shards:\n  a:\n    host: a\n    password:${secret}`],
    ['without the space, in braces', `shards: { a: { host: a, password:${secret} } }`],
    ['with a wrong escape', `shards: { a: { password: "\\q${secret}" } }`],
    ['twice', `shards:\n  a:\n    host: a\n    password: ${secret}\n    password: ${secret}`],
    ['with a brace', `shards:\n  a:\n    host: a\n    password: \${${secret}`],
    ['as a directive', `%${secret}\nshards: {}`],
    ['in a variable', `acquireTimeoutMs: \${OCTOPUS_SPEC_SECRET}\nreads: \${OCTOPUS_SPEC_SECRET}`],
    ['in the default of a variable', `acquireTimeoutMs: \${OCTOPUS_SPEC_UNSET:-${secret}}`],
    [
      'beside an unset variable',
      `shards: { a: { host: a, password: "${secret}\${OCTOPUS_SPEC_UNSET}" } }`,
    ],
  ] as const)
    it(`is not shown when it stands in a file ${title}`, () =>
      withVariables({ OCTOPUS_SPEC_SECRET: secret }, () =>
        withFile(text, (path) => expectSilence(() => resolved(path))),
      ))
})
