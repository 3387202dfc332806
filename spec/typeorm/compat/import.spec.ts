import { expect } from 'chai'
import { ChildFolder, lastValue, libraryUrl } from './child.js'

/** Lists what differs in TypeORM's classes and registries between two moments. */
const snapshots = `
import { createRequire } from 'node:module'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
const require = createRequire(import.meta.url)
const root = dirname(require.resolve('typeorm'))
const folders = ['data-source', 'driver', 'driver/mysql', 'driver/postgres', 'driver/sqljs', 'driver/sqlite-abstract', 'entity-manager', 'query-builder', 'query-runner', 'repository', 'metadata', 'metadata-builder', 'migration', 'persistence', 'schema-builder', 'subscriber', 'cache', 'logger', 'util']
const files = folders.flatMap((folder) => readdirSync(join(root, folder)).filter((name) => name.endsWith('.js')).map((name) => folder + '/' + name))
export const snapshot = () => {
  const found = new Map()
  const note = (at, target) => {
    for (const key of Reflect.ownKeys(target)) {
      const { value, get, set, ...flags } = Object.getOwnPropertyDescriptor(target, key)
      found.set(at + '.' + String(key), [value, get, set, JSON.stringify(flags)])
    }
  }
  for (const file of files)
    for (const [name, value] of Object.entries(require('typeorm/' + file)))
      if (typeof value === 'function') {
        note(file + ':' + name, value)
        if (value.prototype) note(file + ':' + name + '.prototype', value.prototype)
      }
  // TypeORM makes the registry's functions anew for each DataSource.
  const { queryBuilderRegistry } = require('typeorm/query-builder/QueryBuilder.js').QueryBuilder
  for (const [name, make] of Object.entries(queryBuilderRegistry)) found.set('registry.' + name, [String(make)])
  note('Promise', Promise.prototype)
  return found
}
export const changes = (before, after) => [...new Set([...before.keys(), ...after.keys()])].filter((key) => {
  const [a, b] = [before.get(key), after.get(key)]
  return a === undefined || b === undefined || a.some((part, index) => !Object.is(part, b[index]))
})
`

describe('the library next to plain TypeORM', function () {
  this.timeout(30_000)
  let folder: ChildFolder

  before(() => {
    folder = new ChildFolder()
    folder.write('snapshots.mjs', snapshots)
  })
  after(() => folder.remove())

  it('changes nothing of TypeORM when it is imported, and nothing when it wraps and works', async () => {
    const result = await folder.module(`
      import { DataSource, EntitySchema } from 'typeorm'
      import { changes, snapshot } from './snapshots.mjs'
      const Item = new EntitySchema({ name: 'Item', columns: { id: { type: Number, primary: true, generated: true }, name: { type: String } } })
      const plain = new DataSource({ type: 'sqljs', entities: [Item], synchronize: true })
      const own = Object.getOwnPropertyDescriptors(plain)
      const before = snapshot()
      const { octopus } = await import(${JSON.stringify(libraryUrl)})
      const imported = changes(before, snapshot())
      const db = octopus(new DataSource({ type: 'sqljs', entities: [Item], synchronize: true, cache: true }), { shards: { brazil: { synchronize: true } } })
      await db.initialize()
      await db.using('brazil', async () => {
        const items = db.getRepository('Item')
        await items.save({ name: 'Ana' })
        await items.createQueryBuilder('i').update().set({ name: 'Bo' }).where('id = 1').execute()
        await items.find({ cache: true })
        await db.transaction((manager) => manager.save('Item', { name: 'Cy' }))
      })
      await db.destroy()
      const used = changes(before, snapshot())
      const touched = Object.keys(own).filter((key) => plain[key] !== own[key].value)
      await plain.initialize()
      await plain.getRepository('Item').save({ name: 'plain' })
      const builder = plain.createQueryBuilder('Item', 'i')
      console.log(JSON.stringify({
        seen: before.size > 1000, imported, used, touched,
        rows: await builder.getCount(),
        builders: [builder, builder.update()].map(({ constructor }) => constructor.name),
        manager: plain.manager.constructor.name,
        runner: plain.createQueryRunner() === plain.createQueryRunner(),
      }))
      await plain.destroy()
    `)
    expect(lastValue(result)).to.deep.equal({
      seen: true,
      imported: [],
      used: [],
      touched: [],
      rows: 1,
      builders: ['SelectQueryBuilder', 'UpdateQueryBuilder'],
      manager: 'SqljsEntityManager',
      runner: true,
    })
  })

  it('keeps a process alive no longer than its data source', async () => {
    const { code, stderr } = await folder.module(`
      import { DataSource } from 'typeorm'
      import { octopus } from ${JSON.stringify(libraryUrl)}
      octopus(new DataSource({ type: 'sqljs' }), { shards: { brazil: {} } })
    `)
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
  })
})

describe('what a process has one of', function () {
  this.timeout(30_000)
  let folder: ChildFolder

  before(() => (folder = new ChildFolder()))
  after(() => folder.remove())

  const script = (work: string): string => `
    import { DataSource } from 'typeorm'
    import { octopus, using } from ${JSON.stringify(libraryUrl)}
    const source = () => new DataSource({ type: 'sqljs' })
    const shards = { brazil: {} }
    let frame
    const carrierNamed = (name) => ({
      name,
      enter(inner, work) {
        const outer = frame
        frame = inner
        try { return work() } finally { frame = outer }
      },
      current: () => frame,
    })
    const codeOf = (work) => { try { return work() } catch (error) { return { code: error.code, message: error.message } } }
    ${work}
  `

  it('takes one carrier, and refuses a second before it changes anything', async () => {
    const result = await folder.module(
      script(`
        const carrier = carrierNamed('mine')
        const db = octopus(source(), { shards, carrier })
        const again = octopus(source(), { shards, carrier })
        const third = source()
        const { manager } = third
        const refused = codeOf(() => octopus(third, { shards, carrier: carrierNamed('yours') }))
        console.log(JSON.stringify({
          refused,
          untouched: third.manager === manager,
          wrappable: octopus(third, { shards }).using('brazil', () => 'yes'),
          carried: db.using('brazil', () => [frame.label, again.octopus.currentShard()]),
        }))
      `),
    )
    const found = lastValue(result) as { refused: { code: string; message: string } }
    expect(found).to.deep.include({
      untouched: true,
      wrappable: 'yes',
      carried: ['using brazil', 'master'],
    })
    expect(found.refused.code).to.equal('carrier-conflict')
    expect(found.refused.message).to.include('mine').and.to.include('yours')
  })

  it('refuses a carrier once a scope was carried by the default one', async () => {
    const result = await folder.module(
      script(`
        octopus(source(), { shards }).using('brazil', () => 0)
        console.log(JSON.stringify(codeOf(() => octopus(source(), { carrier: carrierNamed('late') }))))
      `),
    )
    const refused = lastValue(result) as { code: string; message: string }
    expect(refused.code).to.equal('carrier-conflict')
    expect(refused.message).to.include('AsyncLocalStorage').and.to.include('late')
  })

  it('takes no carrier from options that are wrong', async () => {
    const result = await folder.module(
      script(`
        const wrong = codeOf(() => octopus(source(), { shards: { brazil: { type: 'better-sqlite3', database: ':memory:' } }, carrier: carrierNamed('lost') }))
        console.log(JSON.stringify({ wrong: wrong.message, kept: octopus(source(), { carrier: carrierNamed('kept') }).using('master', () => frame.label) }))
      `),
    )
    const found = lastValue(result) as { wrong: string; kept: string }
    expect(found.wrong).to.include('better-sqlite3')
    expect(found.kept).to.equal('using master')
  })

  it('forgets a data source in destroy(), even in one that TypeORM refuses', async () => {
    const result = await folder.module(
      script(`
        const db = octopus(source(), { shards })
        const first = using('brazil', () => db.octopus.currentShard())
        const refused = await db.destroy().catch((error) => error.name)
        const gone = codeOf(() => using('brazil', () => 0)).code
        await db.initialize()
        const back = using('brazil', () => db.octopus.currentShard())
        await db.destroy()
        console.log(JSON.stringify({ first, refused, gone, back, end: codeOf(() => using('brazil', () => 0)).code }))
      `),
    )
    expect(lastValue(result)).to.deep.equal({
      first: 'brazil',
      refused: 'CannotExecuteNotConnectedError',
      gone: 'no-data-source',
      back: 'brazil',
      end: 'no-data-source',
    })
  })
})
