import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { NoDataSourceError } from '../../lib/errors.js'
import {
  using,
  usingAll,
  usingGroup,
  usingPrimary,
  usingReplica,
} from '../../lib/scopes/module-level.js'
import { registerScopes, unregisterScopes } from '../../lib/scopes/registry.js'
import type { Scopes } from '../../lib/scopes/scopes.js'
import { scopesOver, standing } from './support.js'

const work = (): number => 1
const twins = {
  using: () => using('brazil', work),
  usingGroup: () => usingGroup('americas', work),
  usingAll: () => usingAll(work),
  usingPrimary: () => usingPrimary(work),
  usingReplica: () => usingReplica(work),
}

// Run by `module-level.spec.ts` in a process of its own, in which nothing else wraps a data source.
describe('the module-level functions', () => {
  const registered: Scopes[] = []
  const register = (): Scopes => {
    const scopes = scopesOver()
    registered.push(scopes)
    registerScopes(scopes)
    return scopes
  }
  afterEach(() => registered.splice(0).forEach(unregisterScopes))

  for (const [name, call] of Object.entries(twins)) {
    it(`${name} says that there is no data source`, () => {
      expect(call)
        .to.throw(NoDataSourceError, `${name} found no wrapped data source; call octopus(`)
        .with.property('count', 0)
    })

    it(`${name} says that there are several`, () => {
      register()
      register()
      expect(call).to.throw(
        NoDataSourceError,
        `${name} found 2 wrapped data sources and cannot choose; call the method of the one you mean: db.${name}.`,
      )
    })
  }

  it('act on the one data source of the process', async () => {
    const scopes = register()
    const where = (): string => standing(scopes)
    expect(using('brazil', where)).to.equal('brazil')
    expect(usingPrimary(where)).to.equal('master primary')
    expect(usingReplica(where)).to.equal('master replica')
    expect(usingReplica({ group: 'reports' }, where)).to.equal('master replica reports')
    expect(await usingGroup('americas', where)).to.deep.equal([
      { shard: 'canada', value: 'canada' },
      { shard: 'brazil', value: 'brazil' },
    ])
    expect(await usingAll(where, { onError: 'collect' })).to.have.length(5)
  })

  it('act on the one that is left when others are gone', () => {
    const [first, second] = [register(), register()]
    unregisterScopes(first)
    expect(using('brazil', () => standing(second))).to.equal('brazil')
    unregisterScopes(second)
    expect(twins.using).to.throw(NoDataSourceError)
  })

  it('count a data source once, however often it starts', () => {
    const scopes = register()
    registerScopes(scopes)
    expect(using('brazil', () => standing(scopes))).to.equal('brazil')
  })

  it('hold it weakly', async () => {
    const gone = (() => new WeakRef(scopesOver()))()
    registerScopes(gone.deref()!)
    // A WeakRef keeps its target until the end of the turn.
    await turn()
    globalThis.gc?.()
    expect(gone.deref()).to.equal(undefined)
    expect(twins.using).to.throw(NoDataSourceError, 'found no wrapped data source')
  })
})
