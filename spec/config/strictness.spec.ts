import { expect } from 'chai'
import { loadConfig } from '../../lib/config/index.js'
import { configErrorOf, main, problemsOf, resolved, withFile } from './support.js'

const shard = { host: 'a' }

/** Title, options, and the one problem that they have. */
const mistakes: readonly (readonly [string, unknown, string])[] = [
  ['options that are no mapping', [], ': expected a mapping of options, such as { shards: { … } }'],
  ['a misspelt key', { shard: {} }, 'shard: unknown key; did you mean "shards"?'],
  [
    'a key spelt otherwise',
    { read_your_writes: {} },
    'read_your_writes: unknown key; did you mean "readYourWrites"?',
  ],
  [
    'a misspelt key of a shard',
    { shards: { a: { hots: 'a' } } },
    'shards.a.hots: unknown key; did you mean "host"?',
  ],
  [
    'a misspelt key of a replica',
    { replicas: [{ host: 'r', wieght: 2 }] },
    'replicas[0].wieght: unknown key; did you mean "weight"?',
  ],
  [
    'an unknown key of a replica',
    { replicas: [{ host: 'r', zzzzz: 2 }] },
    "replicas[0].zzzzz: unknown key; known keys: name, group, weight and TypeORM's connection options, such as type, host, port, url, username, password, database, poolSize",
  ],
  [
    'an unknown key of readYourWrites',
    { readYourWrites: { seconds: 1 } },
    'readYourWrites.seconds: unknown key; known keys: windowMs, secret, issuer',
  ],
  [
    'entities of a shard',
    { shards: { a: { ...shard, entities: [] } } },
    'shards.a.entities: is one set for all shards; give it to the DataSource',
  ],
  [
    "TypeORM's replication",
    { shards: { a: { ...shard, replication: {} } } },
    'shards.a.replication: is TypeORM\'s own; list the replicas under "replicas" instead',
  ],
  [
    'a connection at the top',
    { host: 'x' },
    'host: is an option of the default shard\'s connection; give it to the DataSource, or to a shard under "shards"',
  ],
  [
    'a top-level key in a shard',
    { shards: { a: { ...shard, groups: {} } } },
    'shards.a.groups: belongs to the top level, not to a shard',
  ],
  [
    'replicas of a replica',
    { replicas: [{ host: 'r', replicas: [] }] },
    'replicas[0].replicas: belongs to the shard; a replica has no replicas of its own (does a merge key bring it along?)',
  ],
  [
    "a shard's setting in a replica",
    { replicas: [{ host: 'r', reads: 'primary' }] },
    'replicas[0].reads: belongs to the shard, not to a replica (does a merge key bring it along?)',
  ],
  [
    'schema work on a replica',
    { replicas: [{ host: 'r', dropSchema: false }] },
    'replicas[0].dropSchema: changes the schema, which only a primary can do; remove it',
  ],
  [
    'a word that is no choice',
    { reads: 'reader' },
    'reads: expected one of replica, primary, slave, master',
  ],
  [
    'an engine that is not supported',
    { shards: { a: { ...shard, type: 'mssql' } } },
    'shards.a.type: expected one of mysql, mariadb, postgres, sqljs, better-sqlite3',
  ],
  [
    'a text for a number',
    { acquireTimeoutMs: '1' },
    'acquireTimeoutMs: expected number, received string',
  ],
  [
    'a negative time',
    { readYourWrites: { windowMs: -1 } },
    'readYourWrites.windowMs: expected number to be >=0',
  ],
  [
    'a secret that could be guessed',
    { readYourWrites: { secret: 'x'.repeat(31) } },
    'readYourWrites.secret: expected at least 32 characters that nobody can guess',
  ],
  [
    'a secret that could be guessed in a list',
    { readYourWrites: { secret: ['x'.repeat(32), ''] } },
    'readYourWrites.secret[1]: expected at least 32 characters that nobody can guess',
  ],
  [
    'no secret in a list',
    { readYourWrites: { secret: [] } },
    'readYourWrites.secret: expected list to have >=1 items',
  ],
  [
    'a secret that is no text',
    { readYourWrites: { secret: 1 } },
    'readYourWrites.secret: expected a text, or a list of texts',
  ],
  [
    'an issuer without a name',
    { readYourWrites: { issuer: '' } },
    'readYourWrites.issuer: expected string to have >=1 characters',
  ],
  [
    'a weight of 0',
    { replicas: [{ host: 'r', weight: 0 }] },
    'replicas[0].weight: expected number to be >=1',
  ],
  [
    'a weight that is not whole',
    { replicas: [{ host: 'r', weight: 1.5 }] },
    'replicas[0].weight: expected whole number, received number',
  ],
  ['no visits at a time', { fanOutConcurrency: 0 }, 'fanOutConcurrency: expected number to be >0'],
  [
    'a section without content',
    { shards: { a: null } },
    'shards.a: expected mapping, received null',
  ],
  [
    'a shard name with a space',
    { shards: { 'a b': shard } },
    'shards.a…: not a name for this; use letters, digits and _ - . :, beginning with a letter or a digit',
  ],
  [
    'a shard called __proto__',
    { shards: JSON.parse('{"__proto__":{}}') },
    'shards.__proto__: not a name for this; use letters, digits and _ - . :, beginning with a letter or a digit',
  ],
  [
    'the default shard among the others',
    { shards: { master: shard } },
    'shards.master: is the default shard, which the wrapped DataSource is; put its replicas at the top level, or give the default shard another name with "defaultShard"',
  ],
  ['an empty group', { groups: { g: [] } }, 'groups.g: expected list to have >=1 items'],
  [
    'a group of an unknown shard',
    { shards: { canada: shard }, groups: { g: ['cannada'] } },
    'groups.g[0]: unknown shard "cannada"; did you mean "canada"?',
  ],
  [
    'a group of a shard that is not near any',
    { shards: { a: shard }, groups: { g: ['zz'] } },
    'groups.g[0]: unknown shard "zz"; configured shards: master, a',
  ],
  [
    'a group of a group',
    { shards: { a: shard }, groups: { g: ['a'], h: ['g'] } },
    'groups.h[0]: "g" is a group, and a group lists shards; list its shards here',
  ],
  [
    'a shard twice in a group',
    { shards: { a: shard }, groups: { g: ['a', 'master', 'a'] } },
    'groups.g[2]: lists the shard "a" twice; list each shard once',
  ],
  [
    "a group with a shard's name",
    { shards: { a: shard }, groups: { a: ['a'] } },
    'groups.a: is the name of a shard too; rename the group',
  ],
  [
    'two replicas of one name',
    {
      replicas: [
        { name: 'n', host: 'r' },
        { name: 'n', host: 's' },
      ],
    },
    'replicas[1].name: "n" is the name of another replica of this shard; give each its own',
  ],
  [
    'an alias beside its key',
    { replicas: [], slaves: [] },
    'slaves: is an alias of "replicas", which is given too; keep one',
  ],
  [
    'an alias beside its key in a replica',
    { shards: { a: { ...shard, slaves: [{ host: 'r', group: 'g', slaveGroup: 'g' }] } } },
    'shards.a.slaves[0].slaveGroup: is an alias of "group", which is given too; keep one',
  ],
  [
    'an entity listed twice',
    { fullyReplicated: false, replicated: ['User', 'User'] },
    'replicated[1]: is listed twice; list each entity once',
  ],
  [
    'entities listed to no effect',
    { replicated: ['User'] },
    'replicated: has no effect while every entity counts as replicated; set "fullyReplicated: false", or remove the list',
  ],
  [
    'a shard without a server',
    { shards: { a: { username: 'x' } } },
    'shards.a: names no server; set "host", "url" or "socketPath" (a server is never inherited)',
  ],
  [
    'a replica without a server',
    { replicas: [{}] },
    'replicas[0]: names no server; set "host", "url" or "socketPath" (a server is never inherited)',
  ],
  [
    'a shard without a file',
    { shards: { a: { type: 'better-sqlite3' } } },
    'shards.a: names no file; set "database" to one, or to ":memory:"',
  ],
  [
    'a socket beside a host',
    { shards: { a: { ...shard, socketPath: '/s' } } },
    'shards.a.socketPath: names a server, and so do "host" and "port" beside it; keep one',
  ],
  [
    'a server hidden in extra',
    { shards: { a: { ...shard, extra: { host: 'x' } } } },
    'shards.a.extra.host: names a server where it would win over the other keys unseen; use "host", "port", "url" or "socketPath" of the shard or replica',
  ],
  [
    'an option of another engine',
    { shards: { a: { ...shard, parseInt8: true } } },
    'shards.a.parseInt8: is not an option of mysql; remove it, or set the "type" that it is for',
  ],
  [
    'a socket of postgres',
    { shards: { a: { type: 'postgres', ...shard, socketPath: '/s' } } },
    'shards.a.socketPath: postgres takes the directory of a socket as "host"',
  ],
  [
    'a pool of SQLite',
    { shards: { a: { type: 'sqljs', poolSize: 2 } } },
    'shards.a.poolSize: sqljs has one connection and no pool; remove it',
  ],
  [
    'a file of sql.js by the wrong key',
    { shards: { a: { type: 'sqljs', database: 'a.db' } } },
    'shards.a.database: is the initial content, as bytes, for sqljs; name the file by "location"',
  ],
  [
    'a password function of MySQL',
    { shards: { a: { ...shard, password: () => 'x' } } },
    'shards.a.password: has a value that mysql does not take',
  ],
  [
    'saving to nowhere',
    { shards: { a: { type: 'sqljs', autoSave: true } } },
    'shards.a.autoSave: has nowhere to save; set "location" too',
  ],
]

describe('a configuration is refused for', () => {
  for (const [title, options, problem] of mistakes)
    it(title, () => expect(problemsOf(options)).to.deep.equal([problem]))

  it('a DataSource without a type', () =>
    expect(problemsOf({}, {})).to.deep.equal([
      'dataSource.type: is missing; the DataSource must have a type',
    ]))

  it('replicas of an engine that is not supported', () =>
    expect(problemsOf({ replicas: [{ host: 'r' }] }, { type: 'oracle' })).to.deep.equal([
      'dataSource.type: "oracle" can be wrapped only without replicas and further shards; those can be mysql, mariadb, postgres, sqljs, better-sqlite3',
    ]))

  it("TypeORM's replication beside replicas of ours, unless octopus is switched off", () => {
    const defaults = { type: 'mysql', replication: { master: { host: 'main' }, slaves: [] } }
    const options = { replicas: [{ host: 'r' }] }
    expect(problemsOf(options, defaults)).to.deep.equal([
      'dataSource.replication: is TypeORM\'s own, beside "replicas" of octopus(); give its "master" as options of the DataSource itself, and list its "slaves" under "replicas"',
    ])
    expect(resolved({ ...options, enabled: false }, defaults).enabled).to.equal(false)
    expect(resolved({}, defaults).shards[0].primary.connection).to.include.keys('replication')
  })
})

describe('problems are reported all at once', () => {
  it('those of shape, of names, of servers and of inheritance', () => {
    const options = {
      raeds: 'replica',
      connect: 'soon',
      replicas: [{ host: 'main' }, 'r', { host: 'r', weight: 'x' }, { weight: 2 }],
      shards: {
        a: { host: 'a', acquireTimeoutMs: -1, replicas: [{ host: 'a' }] },
        b: { hots: 'b' },
        c: {},
        d: { host: 'a', parseInt8: true },
        e: 5,
      },
      groups: { g: ['a', 'e', 'x'], h: 'a', a: ['b'] },
    }
    expect(problemsOf(options).map((problem) => problem.split(': ')[0])).to.have.members([
      'raeds',
      'connect',
      'replicas[1]',
      'replicas[2].weight',
      'shards.a.acquireTimeoutMs',
      'shards.b.hots',
      'shards.e',
      'groups.h',
      'groups.g[2]',
      'groups.a',
      'replicas[0]',
      'replicas[3]',
      'shards.c',
      'shards.a.replicas[0]',
      'shards.d',
      'shards.d.parseInt8',
    ])
  })

  it('those of unset variables too, wherever merge keys take them, once each', () => {
    const text = `
x-base: &base
  host: \${OCTOPUS_UNSET_HOST}
shards:
  a: { <<: *base, port: "\${OCTOPUS_UNSET_PORT}" }
  b: { <<: *base, hots: x }
  c: {}
groups: { g: [z] }
`
    withFile(text, (path) => {
      const problems = problemsOf(path)
      expect(problems).to.have.length(5)
      expect(problems[0]).to.equal(
        'x-base.host: the environment variable OCTOPUS_UNSET_HOST is not set; set it, or give a default: ${OCTOPUS_UNSET_HOST:-default} (line 3)',
      )
      expect(problems[1]).to.match(/^shards\.a\.port: .*OCTOPUS_UNSET_PORT is not set.*\(line 5\)$/)
      expect(problems[2]).to.match(/^shards\.b\.hots: /)
      expect(problems[3]).to.match(/^groups\.g\[0\]: unknown shard "z"/)
      expect(problems[4]).to.match(/^shards\.c: names no server/)
    })
  })

  it('in an error that names the file', () =>
    withFile('shard: {}', (path) => {
      const error = configErrorOf(() => loadConfig(path))
      expect(error.file).to.equal(path)
      expect(error.code).to.equal('invalid-config')
      expect(error.message).to.equal(
        `${path}: 1 problem\n  - shard: unknown key; did you mean "shards"?`,
      )
    }))
})

describe('two endpoints on one server and database', () => {
  const same = 'or set "allowSharedServer: true" if that is meant'
  const places = (options: unknown, defaults?: Record<string, unknown>): string[] =>
    problemsOf(options, defaults).map((problem) => problem.split(': ')[0] ?? '')

  it('are refused, with a word on why', () => {
    expect(problemsOf({ shards: { a: { host: 'main' } } })).to.deep.equal([
      `shards.a: is on the same server and database as the default shard (the DataSource) (main:3306, database shop); name another, ${same}`,
    ])
    expect(problemsOf({ replicas: [{ host: 'MAIN', port: 3306 }] })).to.deep.equal([
      `replicas[0]: is its own primary (main:3306, database shop); name the replica's own server, ${same}`,
    ])
    const url = 'mysql://u:p@a/d'
    expect(problemsOf({ shards: { a: { url, replicas: [{ url }] } } })).to.deep.equal([
      `shards.a.replicas[0]: has its primary's "url" (does a merge key bring it along?); name the replica's own server, ${same}`,
    ])
  })

  it('are recognised by any name of the same machine, file or socket', () => {
    const local = { ...main, host: 'localhost' }
    expect(places({ shards: { a: { host: '127.0.0.1' } } }, local)).to.deep.equal(['shards.a'])
    expect(places({ shards: { a: { url: 'mysql://[::1]:3306' } } }, local)).to.deep.equal([
      'shards.a',
    ])
    expect(places({ shards: { a: { host: 'localhost' } } }, { type: 'mysql' })).to.deep.equal([
      'shards.a',
    ])
    expect(places({ shards: { a: { type: 'mariadb', host: 'main' } } })).to.deep.equal(['shards.a'])
    const socket = { ...main, host: undefined, extra: { socketPath: '/s' } }
    expect(places({ shards: { a: { socketPath: '/s' } } }, socket)).to.deep.equal(['shards.a'])
    const file = { type: 'better-sqlite3', database: './x.db' }
    expect(places({ shards: { a: { database: 'x.db' } } }, file)).to.deep.equal(['shards.a'])
    const saved = { type: 'sqljs', location: 'x.db' }
    expect(places({ shards: { a: { location: './x.db' } } }, saved)).to.deep.equal(['shards.a'])
    const postgres = { type: 'postgres', host: 'p', username: 'u', database: 'u' }
    const shards = {
      a: { type: 'postgres', host: 'p', port: 5432, username: 'u', schema: 'public' },
    }
    expect(places({ shards }, postgres)).to.deep.equal(['shards.a'])
  })

  it('are allowed if that is said', () => {
    const options = {
      allowSharedServer: true,
      shards: { a: { host: 'main' } },
      replicas: [{ host: 'main' }],
    }
    expect(resolved(options).shards).to.have.length(2)
  })

  it('differ by database, schema or port, and in memory always', () => {
    resolved({
      shards: { a: { host: 'main', database: 'other' }, b: { host: 'main', port: 3307 } },
    })
    resolved({ shards: { a: { host: 'p', schema: 'a' } } }, { type: 'postgres', host: 'p' })
    resolved({ shards: { a: {}, b: { replicas: [{}] } } }, { type: 'sqljs' })
    const memory = { database: ':memory:' }
    resolved({ shards: { a: memory, b: memory } }, { type: 'better-sqlite3', ...memory })
  })
})
