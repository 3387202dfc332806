import { expect } from 'chai'
import { type NodeOptions, withNodeOptions } from '../../lib/config/node-options.js'
import { resolveOptions } from '../../lib/config/resolve.js'
import { ConfigError } from '../../lib/errors.js'

describe('withNodeOptions', () => {
  const url = 'mysql://app:s%40fe@br-1:3307/shop'
  const parts = { host: 'br-1', port: 3307, username: 'app', password: 's@fe', database: 'shop' }
  const changes: [string, Record<string, unknown>, NodeOptions, Record<string, unknown>][] = [
    [
      'keeps what is not given',
      { host: 'br-1', port: 3307, password: 'x' },
      { host: 'br-9' },
      { host: 'br-9', port: 3307, password: 'x' },
    ],
    [
      'takes undefined for what is not given',
      { host: 'br-1' },
      { host: undefined, port: 3307 } as object,
      { host: 'br-1', port: 3307 },
    ],
    [
      'replaces host and port by a socket',
      { host: 'br-1', port: 3307 },
      { socketPath: '/run/s' },
      { socketPath: '/run/s' },
    ],
    ['replaces a socket by a host', { socketPath: '/run/s' }, { host: 'br-9' }, { host: 'br-9' }],
    [
      'replaces by a URL what is in it',
      { host: 'br-1', username: 'old', poolSize: 3 },
      { url },
      { poolSize: 3, url },
    ],
    [
      'keeps beside a URL what is not in it',
      { host: 'br-1', username: 'app', password: 'x' },
      { url: 'mysql://br-9/shop' },
      { username: 'app', password: 'x', url: 'mysql://br-9/shop' },
    ],
    [
      'takes a URL apart where a part of it changes',
      { url },
      { host: 'br-9' },
      { ...parts, host: 'br-9' },
    ],
    [
      'takes a URL apart where its password changes',
      { url },
      { password: 'new' },
      { ...parts, password: 'new' },
    ],
    ['leaves a URL alone otherwise', { url }, { poolSize: 3 }, { url, poolSize: 3 }],
    [
      'replaces a group by its alias',
      { group: 'a', weight: 2 },
      { slaveGroup: 'b' },
      { weight: 2, slaveGroup: 'b' },
    ],
  ]
  for (const [title, options, change, expected] of changes)
    it(title, () => expect(withNodeOptions(options, change, 'mysql')).to.deep.equal(expected))

  it('refuses a URL that cannot be read, without showing it', () => {
    const change = () => withNodeOptions({}, { url: 'mysql://app:secret@' }, 'mysql')
    expect(change).to.throw(ConfigError, /^(?!.*secret).*\burl: /s)
  })
})

describe('resolveOptions', () => {
  const options = { shards: { brazil: { host: 'br-1', replicas: [{ host: 'br-2' }] } } }
  const source = { type: 'mysql', host: 'm-1' }
  const namesOf = (...args: Parameters<typeof resolveOptions>): string[] =>
    resolveOptions(...args).config.shards.flatMap(({ primary, replicas }) =>
      [primary, ...replicas].map(({ name }) => name),
    )

  it('lets servers keep the names that they have', () => {
    const moved = {
      shards: { brazil: { host: 'br-8', replicas: [{ host: 'br-9' }, { host: 'br-1' }] } },
    }
    const kept = new Map([['brazil', ['br-1', 'br-2']]])
    expect(namesOf(options, source)).to.deep.equal(['m-1', 'br-1', 'br-2'])
    expect(namesOf(moved, source)).to.deep.equal(['m-1', 'br-8', 'br-9', 'br-1'])
    expect(namesOf(moved, source, kept)).to.deep.equal(['m-1', 'br-1', 'br-2', 'replica-2'])
  })

  it('yields the options that were given', () => {
    expect(resolveOptions(options, source).options).to.deep.equal(options)
  })
})
