import { mock } from 'node:test'
import { expect } from 'chai'
import fc from 'fast-check'
import { Gate } from '../../lib/pool/gate.js'
import { failureOf } from './stub-connector.js'

const timedOut = (waitedMs: number): Error => new Error(`waited ${waitedMs} ms`)

describe('Gate', () => {
  let now = 0
  /** Lets time pass, for the gate's clock and for timers. */
  const pass = (ms: number): void => {
    now += ms
    mock.timers.tick(ms)
  }
  const gateOf = (max: number): Gate => new Gate(max, () => now)

  beforeEach(() => {
    now = 1000
    mock.timers.enable({ apis: ['setTimeout'] })
  })
  afterEach(() => mock.timers.reset())

  it('lets so many in at once, and no more', () => {
    const gate = gateOf(2)
    expect([gate.tryEnter(), gate.tryEnter(), gate.tryEnter()]).to.deep.equal([true, true, false])
    gate.leave()
    expect([gate.tryEnter(), gate.inside]).to.deep.equal([true, 2])
  })

  it('lets the rest in in the order in which they came', async () => {
    const gate = gateOf(1)
    gate.tryEnter()
    const entered: number[] = []
    const all = [1, 2, 3].map((name) => gate.enter(0, timedOut).then(() => entered.push(name)))
    expect(gate.waiting).to.equal(3)
    for (const each of all) {
      gate.leave()
      await each
    }
    expect(entered).to.deep.equal([1, 2, 3])
    expect([gate.inside, gate.waiting]).to.deep.equal([1, 0])
  })

  it('lets nobody pass those who wait', async () => {
    const gate = gateOf(2)
    gate.tryEnter()
    gate.tryEnter()
    const first = gate.enter(0, timedOut)
    gate.leave()
    expect(gate.tryEnter()).to.equal(false)
    expect(await first).to.equal(0)
  })

  it('tells how long one waited', async () => {
    const gate = gateOf(1)
    expect(await gate.enter(100, timedOut)).to.equal(0)
    const second = gate.enter(100, timedOut)
    pass(40)
    gate.leave()
    expect(await second).to.equal(40)
  })

  it('gives up after the time, and counts the one who gives up among those who wait', async () => {
    const gate = gateOf(1)
    gate.tryEnter()
    let seen: number | undefined
    const waiting = gate.enter(100, (waitedMs) => {
      seen = gate.waiting
      return timedOut(waitedMs)
    })
    pass(100)
    expect(await failureOf(waiting)).to.have.property('message', 'waited 100 ms')
    expect([seen, gate.waiting, gate.inside]).to.deep.equal([1, 0, 1])
  })

  it('gives the place to the next when the first has given up', async () => {
    const gate = gateOf(1)
    gate.tryEnter()
    const first = failureOf(gate.enter(10, timedOut))
    const second = gate.enter(0, timedOut)
    pass(10)
    await first
    gate.leave()
    expect(await second).to.equal(10)
    gate.leave()
    expect(gate.inside).to.equal(0)
  })

  it('waits for ever where the time is 0', () => {
    const gate = gateOf(1)
    gate.tryEnter()
    void gate.enter(0, timedOut)
    pass(1_000_000)
    expect(gate.waiting).to.equal(1)
  })

  it('refuses everybody who waits, and nobody who is inside', async () => {
    const gate = gateOf(1)
    gate.tryEnter()
    const waiting = [gate.enter(10, timedOut), gate.enter(0, timedOut)].map(failureOf)
    const closed = new Error('closed')
    gate.refuseAll(closed)
    pass(10)
    expect(await Promise.all(waiting)).to.deep.equal([closed, closed])
    expect([gate.inside, gate.waiting]).to.deep.equal([1, 0])
  })

  it('leaves no timer behind', async () => {
    mock.timers.reset()
    await new Promise(setImmediate) // mocha's own timer starts once this has begun to wait
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = timers()
    const gate = new Gate(1, () => performance.now())
    gate.tryEnter()
    const entered = gate.enter(60_000, timedOut)
    const refused = failureOf(gate.enter(60_000, timedOut))
    expect(timers()).to.be.above(before)
    gate.leave()
    gate.refuseAll(new Error('closed'))
    await Promise.all([entered, refused])
    expect(timers()).to.equal(before)
  })

  it('never lets in more than it may, nor forgets a place, whatever happens', async () => {
    const events = fc.array(fc.constantFrom('enter', 'leave', 'pass', 'try'), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), events, async (max, steps) => {
        const gate = gateOf(max)
        let inside = 0
        const queue: Promise<unknown>[] = []
        for (const step of steps) {
          if (step === 'enter')
            queue.push(
              gate.enter(10, timedOut).then(
                () => (inside += 1),
                () => undefined,
              ),
            )
          else if (step === 'try') inside += gate.tryEnter() ? 1 : 0
          else if (step === 'pass') pass(10)
          else if (inside > 0) {
            inside -= 1
            gate.leave()
          }
          await new Promise(setImmediate)
          expect(inside).to.equal(gate.inside)
          expect(gate.inside).to.be.at.most(max)
          if (gate.waiting > 0) expect(gate.inside).to.equal(max)
        }
        pass(10)
        await Promise.all(queue)
        expect(gate.waiting).to.equal(0)
      }),
    )
  })
})
