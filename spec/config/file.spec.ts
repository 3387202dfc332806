import { expect } from 'chai'
import fc from 'fast-check'
import { loadConfig } from '../../lib/config/index.js'
import { loneVariable, substituteVariables } from '../../lib/config/variables.js'
import { configErrorOf, connectionOf, resolved, withFile, withVariables } from './support.js'

type Environment = Readonly<Record<string, string>>

const load = (text: string, environment: Environment = {}): unknown =>
  withFile(text, (path) => loadConfig(path, environment))

const problems = (text: string, environment: Environment = {}): string[] =>
  configErrorOf(() => load(text, environment)).problems.map(
    ({ path, message }) => `${path}: ${message}`,
  )

describe('a configuration file', () => {
  it('is read with merge keys, and words such as no stay words', () => {
    const text = `
x-common: &common { poolSize: 3, connect: eager }
shards:
  no: { <<: *common, host: n }
  "1": { <<: [*common], host: o, poolSize: 4 }
`
    expect(load(text)).to.deep.equal({
      shards: {
        1: { host: 'o', poolSize: 4, connect: 'eager' },
        no: { host: 'n', poolSize: 3, connect: 'eager' },
      },
    })
  })

  it('may use one anchor many hundred times', () => {
    const shards = Array.from(
      { length: 500 },
      (_, index) => `  s${index}: { <<: *base, host: h${index} }`,
    )
    const options = load(['x-base: &base { poolSize: 1 }', 'shards:', ...shards].join('\n'))
    expect(options).to.have.property('shards').with.property('s499').with.property('poolSize', 1)
  })

  it('is resolved with the environment of the process', () =>
    withFile('shards: { a: { host: "${OCTOPUS_SPEC_HOST}" } }', (path) =>
      withVariables({ OCTOPUS_SPEC_HOST: 'here' }, () =>
        expect(connectionOf(resolved(path), 'a')).to.include({ host: 'here' }),
      ),
    ))

  for (const [title, text, problem] of [
    [
      'a key that stands twice',
      'reads: replica\nshards: {}\nreads: primary',
      'line 3, column 1: this key stands in the same mapping twice; remove one of them',
    ],
    [
      'a quote that is not closed',
      'shards:\n  a: "x',
      'line 2, column 8: a character is missing here, such as a closing quote or bracket, a comma, or the space after ":" or before "#"',
    ],
    ['a tab', 'shards:\n\ta: {}', 'line 2, column 1: indented with a tab; use spaces'],
    [
      'an alias without anchor',
      'reads: replica\nshards: { a: *b }',
      'line 2, column 14: an alias (*name) must come after its anchor (&name); a value that begins with * must be quoted',
    ],
    [
      'an alias inside its anchor',
      'shards: &a\n  b: *a',
      'line 2, column 6: an alias (*name) stands inside the value that it repeats',
    ],
    [
      'an unknown tag',
      'shards: { a: { password: !x } }',
      'line 1, column 26: the tag (!name) is not known here; a value that begins with ! must be quoted',
    ],
    [
      'two documents',
      'shards: {}\n---\nreads: replica',
      'line 2, column 1: the file holds several documents (---); keep one',
    ],
    [
      'no content',
      '# nothing',
      ': the file is empty; see docs/configuration.md for what it can hold',
    ],
    ['a list', '- a', ': expected a mapping of options, such as { shards: { … } }'],
  ] as const)
    it(`is refused for ${title}, by line and column`, () =>
      expect(problems(text)).to.deep.equal([problem]))

  it('with a key that stands twice is checked further', () => {
    const text = 'raeds: x\nreads: replica\nreads: primary\ngroups: { g: [zz] }'
    expect(problems(text)).to.have.length(3)
  })

  it('that cannot be read is an error with its cause', () => {
    const missing = configErrorOf(() => loadConfig('no/such/ormconfig.yml'))
    expect(missing.file).to.equal('no/such/ormconfig.yml')
    expect(missing.message).to.include('there is no such file')
    expect(missing.cause).to.have.property('code', 'ENOENT')
    expect(configErrorOf(() => loadConfig('.')).message).to.include('is a directory')
  })
})

describe('a variable in a file', () => {
  const shard = (text: string, environment: Environment = {}): unknown =>
    (load(`shards:\n  a: ${text}`, environment) as { shards: { a: unknown } }).shards.a

  it('is replaced, anywhere in a text', () =>
    expect(shard('{ host: "${A}-${B:-x}.net" }', { A: 'db' })).to.deep.equal({ host: 'db-x.net' }))

  it('has its default when it is unset or empty', () => {
    expect(shard('{ host: "${A:-x}" }', { A: '' })).to.deep.equal({ host: 'x' })
    expect(shard('{ host: h, password: "${A:-}" }')).to.deep.equal({ host: 'h', password: '' })
  })

  it('may be empty when it has no default', () =>
    expect(shard('{ password: "${A}" }', { A: '' })).to.deep.equal({ password: '' }))

  it('is not looked into, neither for YAML nor for variables', () => {
    const value = 'x", port: 1, y: "${B} # \n- *z'
    expect(shard('{ password: "${A}" }', { A: value, B: 'b' })).to.deep.equal({ password: value })
  })

  it('is written as it is after $${', () =>
    expect(shard('{ password: "$${A}$$${A}" }', { A: 'a' })).to.deep.equal({
      password: '${A}$${A}',
    }))

  it('is a number or a boolean where the key wants one', () => {
    const text =
      '{ host: h, port: "${P}", readonly: "${B}", ssl: "${B}", logging: "${L}", password: "${P}", name: n }'
    const options = load(`shards: { a: ${text.replace(', name: n', '')} }`, {
      P: '3306',
      B: 'true',
      L: 'all',
    })
    expect(options).to.have.property('shards').with.property('a').deep.equal({
      host: 'h',
      port: 3306,
      readonly: true,
      ssl: true,
      logging: 'all',
      password: '3306',
    })
  })

  it('is what YAML would read inside the settings of a driver, unless it is quoted', () => {
    const text = '\n    extra:\n      a: ${N}\n      b: "${N}"\n      c: ${B}\n      d: ${Z}'
    expect(shard(text, { N: '12', B: 'false', Z: '0123' })).to.deep.equal({
      extra: { a: 12, b: '12', c: false, d: '0123' },
    })
  })

  it('that is no number where the key wants one is a problem that does not show it', () =>
    expect(problems('acquireTimeoutMs: ${T}\nenabled: ${T}', { T: 'hunter2' })).to.deep.equal([
      'acquireTimeoutMs: the environment variable T must be a number here (line 1)',
      'enabled: the environment variable T must be true or false here (line 2)',
    ]))

  it('that is a number out of range is a problem', () =>
    expect(problems('replicas: [{ host: r, weight: "${W}" }]', { W: '0' })).to.deep.equal([
      'replicas[0].weight: expected number to be >=1',
    ]))

  it('that is written wrongly is a problem that does not show it', () =>
    expect(problems('shards: { a: { password: "a${hunter2" } }')).to.deep.equal([
      'shards.a.password: has a "${" that begins no variable; write ${NAME} or ${NAME:-default}, or $${ for the characters themselves (line 1)',
    ]))

  it('is not replaced in keys', () =>
    expect(problems('"${A}": 1', { A: 'shards' })[0]).to.match(/^…: unknown key/))

  it('leaves texts without a dollar alone, and yields values unchanged', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, value) => {
        const plain = text.replaceAll('$', '')
        expect(substituteVariables(plain, {})).to.deep.equal({ ok: true, text: plain })
        expect(substituteVariables('${V}', { V: value })).to.deep.equal({ ok: true, text: value })
        const escaped = value.replaceAll('${', () => '$${')
        if (!value.includes('$$'))
          expect(substituteVariables(escaped, {})).to.deep.equal({ ok: true, text: value })
      }),
    )
    expect(loneVariable('${A:-b}')).to.equal('A')
    expect(loneVariable('${A}${B}')).to.equal(undefined)
  })
})
