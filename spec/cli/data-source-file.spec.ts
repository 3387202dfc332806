import { expect } from 'chai'
import { loadDataSourceFile } from '../../lib/cli/data-source-file.js'
import { UsageError } from '../../lib/cli/frame.js'
import { ChildFolder, libraryUrl } from '../typeorm/compat/child.js'

const imports = `
import { DataSource } from 'typeorm'
import { octopus } from ${JSON.stringify(libraryUrl)}
const plain = new DataSource({ type: 'sqljs' })
const wrapped = () => octopus(plain, { shards: { brazil: {} } })
`

const failureOf = async (work: Promise<unknown>): Promise<Error> => {
  try {
    await work
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

describe('a data source file', () => {
  let folder: ChildFolder

  before(() => {
    folder = new ChildFolder()
  })
  after(() => folder.remove())

  const load = (name: string, source: string): ReturnType<typeof loadDataSourceFile> => {
    folder.write(name, source)
    return loadDataSourceFile(name, folder.path)
  }

  for (const [title, name, source] of [
    ['by name', 'named.mjs', `${imports}export const db = wrapped()`],
    ['as the default', 'default.mjs', `${imports}export default wrapped()`],
    ['twice', 'twice.mjs', `${imports}export const db = wrapped(); export default db`],
    [
      'beside the one it wraps',
      'beside.mjs',
      `${imports}export { plain }; export const db = wrapped()`,
    ],
    ['as a promise', 'promise.mjs', `${imports}export const db = Promise.resolve(wrapped())`],
    ['from a function', 'function.mjs', `${imports}export default async () => wrapped()`],
    [
      'after awaiting something at the top level',
      'await.mjs',
      `${imports}export const db = await Promise.resolve(wrapped())`,
    ],
    ['as what a CommonJS module is', 'module.cjs', `module.exports = require('./named.mjs').db`],
    ['as an export of a CommonJS module', 'exports.cjs', `exports.db = require('./named.mjs').db`],
  ] as const)
    it(`exports a wrapped data source ${title}`, async () => {
      const db = await load(name, source)
      expect(db.octopus.shardNames).to.deep.equal(['master', 'brazil'])
      expect(db.isInitialized).to.equal(false)
    })

  for (const [title, name, source, message] of [
    [
      'a DataSource that is not wrapped',
      'plain.mjs',
      `${imports}export const db = plain`,
      'plain.mjs exports a DataSource that is not wrapped (db): export what octopus(dataSource, …) returns.',
    ],
    ['none', 'none.mjs', 'export const answer = 42', 'none.mjs exports no data source:'],
    [
      'several',
      'several.mjs',
      `${imports}export const one = wrapped()
export const other = octopus(new DataSource({ type: 'sqljs' }))`,
      'several.mjs exports several wrapped data sources (one, other): export one.',
    ],
  ] as const)
    it(`is refused with ${title}`, async () => {
      const error = await failureOf(load(name, source))
      expect(error).to.be.instanceOf(UsageError)
      expect(error.message).to.include(message)
    })

  it('is refused where it is not there', async () => {
    const error = await failureOf(loadDataSourceFile('nowhere.mjs', folder.path))
    expect(error).to.be.instanceOf(UsageError)
    expect(error.message).to.equal('nowhere.mjs: there is no such data source file.')
  })

  it('says what its own failure is, and what TypeScript needs', async () => {
    const failing = await failureOf(load('failing.mjs', `throw new Error('no settings')`))
    expect(failing.message).to.equal('failing.mjs could not be loaded: no settings')
    expect(failing.cause).to.be.instanceOf(Error)
    const typed = await failureOf(
      load('typed.mts', 'enum Colour { Red }\nexport const db = Colour.Red'),
    )
    expect(typed.message).to.include('NODE_OPTIONS="--import tsx"')
  })
})
