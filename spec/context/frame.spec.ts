import { expect } from 'chai'
import {
  type Frame,
  type FrameChange,
  childFrame,
  encloses,
  frameOf,
  userScopes,
  userFrame,
} from '../../lib/context/frame.js'

const owner = Object.freeze({ name: 'db' })
const other = Object.freeze({ name: 'other db' })

/** A scope of `who` directly inside `parent`. */
const inside = (
  parent: Frame | undefined,
  change: Partial<FrameChange>,
  who: object = owner,
): Frame => childFrame(who, frameOf(who, parent), parent, { label: 'scope', ...change })

describe('childFrame', () => {
  const outer = inside(undefined, { shard: 'brazil', role: 'replica', replicaGroup: 'reports' })

  for (const [title, change, expected] of [
    [
      'an inner shard replaces the outer one and nothing else',
      { shard: 'canada' },
      ['canada', 'replica', 'reports'],
    ],
    [
      'a role without a group drops the group',
      { role: 'replica' },
      ['brazil', 'replica', undefined],
    ],
    ['the primary role drops the group', { role: 'primary' }, ['brazil', 'primary', undefined]],
    [
      'a group inherits the shard',
      { role: 'replica', replicaGroup: 'archive' },
      ['brazil', 'replica', 'archive'],
    ],
    ['a scope that says nothing inherits everything', {}, ['brazil', 'replica', 'reports']],
  ] as const)
    it(title, () => {
      const { shard, role, replicaGroup } = inside(outer, change)
      expect([shard, role, replicaGroup]).to.deep.equal(expected)
    })

  it('keeps a mark for the primary until a role is named', () => {
    const primaryFor = { shard: 'brazil', because: 'transaction' } as const
    const marked = inside(undefined, { primaryFor })
    expect(inside(marked, { shard: 'canada' }).primaryFor).to.equal(primaryFor)
    expect(inside(marked, { role: 'replica' }).primaryFor).to.equal(undefined)
  })

  it('is frozen', () => {
    expect(Object.isFrozen(outer)).to.equal(true)
    expect(() => Object.assign(outer, { shard: 'canada' })).to.throw(TypeError)
  })

  it('shares one ledger among all scopes of one outermost scope', () => {
    const siblings = [inside(outer, {}), inside(inside(outer, {}), {})]
    for (const { writes } of siblings) expect(writes).to.equal(outer.writes)
    expect(inside(undefined, {}).writes).to.not.equal(outer.writes)
  })

  it('inherits nothing from the scope of another owner', () => {
    const foreign = inside(outer, {}, other)
    expect(foreign).to.include({ shard: undefined, role: undefined, replicaGroup: undefined })
    expect(foreign.writes).to.not.equal(outer.writes)
  })

  it('inherits from its own scope past the scopes of others', () => {
    const own = inside(inside(outer, { shard: 'x' }, other), {})
    expect(own).to.include({ shard: 'brazil', replicaGroup: 'reports' })
    expect(own.writes).to.equal(outer.writes)
  })
})

describe('frames in each other', () => {
  const outermost = inside(undefined, { label: 'using brazil', shard: 'brazil' })
  const foreign = inside(outermost, { label: 'using elsewhere' }, other)
  const library = inside(foreign, { label: 'transaction', origin: 'library' })
  const innermost = inside(library, { label: 'usingPrimary', role: 'primary' })

  it('are found by their owner', () => {
    expect(frameOf(owner, innermost)).to.equal(innermost)
    expect(frameOf(owner, foreign)).to.equal(outermost)
    expect(frameOf(other, innermost)).to.equal(foreign)
    expect(frameOf(other, outermost)).to.equal(undefined)
    expect(frameOf(owner, undefined)).to.equal(undefined)
  })

  it('are told outermost first, without those of others and the library', () => {
    expect(userScopes(innermost).map(({ label }) => label)).to.deep.equal([
      'using brazil',
      'usingPrimary',
    ])
    expect(userScopes(undefined)).to.deep.equal([])
  })

  it('lead to the nearest that a user opened', () => {
    expect(userFrame(library)).to.equal(outermost)
    expect(userFrame(innermost)).to.equal(innermost)
    expect(userFrame(inside(undefined, { origin: 'library' }))).to.equal(undefined)
  })

  it('enclose themselves and what is inside, never what is outside', () => {
    expect(encloses(outermost, innermost)).to.equal(true)
    expect(encloses(innermost, innermost)).to.equal(true)
    expect(encloses(innermost, outermost)).to.equal(false)
    expect(encloses(innermost, undefined)).to.equal(false)
    expect(encloses(undefined, undefined)).to.equal(true)
    expect(encloses(undefined, outermost)).to.equal(true)
  })
})
