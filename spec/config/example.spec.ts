import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { replicaShape, shardShape, topShape } from '../../lib/config/schema.js'
import { connectionOf, main, resolved, withVariables } from './support.js'

/** Keys that a file cannot hold. */
const codeOnly = [
  'autoSaveCallback',
  'carrier',
  'driver',
  'namingStrategy',
  'nativeDriver',
  'poolErrorHandler',
  'prepareDatabase',
  'verbose',
]

interface Node {
  readonly properties: Readonly<Record<string, Node>>
  readonly additionalProperties: Node
}
const schema = JSON.parse(readFileSync('schema/octopus.schema.json', 'utf8')) as Node & {
  readonly $defs: { readonly replica: Node }
}

describe('the example, ormconfig.yml', () => {
  it('is right as it stands', () => {
    const config = resolved('ormconfig.yml')
    expect(config.shards.map(({ name, engine }) => `${name} ${engine}`)).to.deep.equal([
      'main mysql',
      'canada mysql',
      'brazil mysql',
      'analytics postgres',
      'archive better-sqlite3',
    ])
    expect(connectionOf(config, 'canada')).to.deep.equal({
      ...main,
      host: 'ca-1',
      port: 3306,
      poolSize: 20,
    })
    expect(
      config.shards[2]?.replicas.map(({ name, weight, group }) => [name, weight, group]),
    ).to.deep.equal([
      ['br-fast', 2, undefined],
      ['br-3', 1, undefined],
      ['br-4', 1, 'reports'],
    ])
    expect(config.shards[3]).to.include({ reads: 'primary', connect: 'eager' })
    expect(config.groups.get('everywhere')).to.deep.equal(['main', 'brazil', 'canada'])
  })

  it('takes its variables from the environment', () => {
    const variables = { CANADA_PORT: '3310', ANALYTICS_PASSWORD: '007', ANALYTICS_TLS: 'true' }
    withVariables({ ...variables, OCTOPUS_ENABLED: 'false' }, () => {
      const config = resolved('ormconfig.yml')
      expect(connectionOf(config, 'canada')).to.include({ port: 3310 })
      expect(connectionOf(config, 'analytics')).to.include({ password: '007', ssl: true })
      expect(config.enabled).to.equal(false)
    })
  })

  it('shows every key of the top level', () => {
    const aliasesAndCode = ['slaves', 'carrier']
    const shown = Object.keys(
      parse(readFileSync('ormconfig.yml', 'utf8'), { merge: true }) as object,
    )
    expect(shown).to.include.members(
      Object.keys(topShape).filter((key) => !aliasesAndCode.includes(key)),
    )
  })
})

describe('the JSON Schema', () => {
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema)
  const accepts = (text: string): boolean => validate(parse(text, { merge: true }))

  it('is up to date', () => {
    execFileSync(process.execPath, ['scripts/json-schema.mjs', '--check'], { stdio: 'pipe' })
  }).timeout(20_000)

  it('has the keys that a file can hold', () => {
    const inFiles = (shape: object): string[] =>
      Object.keys(shape).filter((key) => !codeOnly.includes(key))
    expect(Object.keys(schema.properties)).to.have.members(inFiles(topShape))
    const shard = schema.properties['shards']?.additionalProperties.properties
    expect(Object.keys(shard ?? {})).to.have.members(inFiles(shardShape))
    expect(Object.keys(schema.$defs.replica.properties)).to.have.members(inFiles(replicaShape))
  })

  it('accepts the example, and variables where a number or a choice stands', () => {
    expect(
      accepts(readFileSync('ormconfig.yml', 'utf8')),
      JSON.stringify(validate.errors),
    ).to.equal(true)
    expect(accepts('shards: { a: { port: "${P}", type: "${T}", ssl: "${S}" } }')).to.equal(true)
    expect(accepts('groups: { g: ["${S}"] }')).to.equal(true)
    expect(accepts('verify: ["${V}", idle]\nverifiers: [{ replicaLagMs: "${L}" }]')).to.equal(true)
  })

  it('refuses what the library refuses', () => {
    for (const text of [
      'shard: {}',
      'shards: { a: { hots: x } }',
      'shards: { a: { port: x } }',
      'replicas: [{ host: r, synchronize: true }]',
      'groups: { g: [] }',
      'reads: reader',
      'carrier: {}',
      'verify: [sometimes]',
      'verifiers: [{ verify: x }]',
      'shards: { a: { maxConnections: 1 } }',
      'shards: { "a b": {} }',
    ])
      expect(accepts(text), text).to.equal(false)
  })
})
