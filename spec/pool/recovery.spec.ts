import { mock } from 'node:test'
import { expect } from 'chai'
import fc from 'fast-check'
import { backoffMs } from '../../lib/pool/backoff.js'
import { Recovery } from '../../lib/pool/recovery.js'
import { failureOf, settle } from './stub-connector.js'

describe('a server that could not be connected', () => {
  let now: number
  let recovery: Recovery

  beforeEach(() => {
    now = 1000
    recovery = new Recovery({ now: () => now, random: () => 0 })
    mock.timers.enable({ apis: ['setTimeout'] })
  })
  afterEach(() => mock.timers.reset())

  const pass = async (ms: number): Promise<void> => {
    now += ms
    mock.timers.tick(ms)
    await settle()
  }
  const down = (): Promise<void> => {
    recovery.failed()
    return Promise.reject(new Error('down'))
  }

  it('is tried after 50 ms, then twice as long apart up to 1 s', async () => {
    recovery.failed()
    for (const ms of [50, 100, 200, 400, 800, 1000, 1000]) {
      let tries = 0
      const failure = failureOf(
        recovery.wait(() => {
          tries += 1
          return down()
        }),
      )
      await pass(ms - 1)
      expect(tries, `before ${ms} ms`).to.equal(0)
      await pass(1)
      expect(tries, `after ${ms} ms`).to.equal(1)
      expect(await failure).to.have.property('message', 'down')
    }
  })

  it('is tried once for all who wait, and anew for who comes later', async () => {
    recovery.failed()
    let tries = 0
    const attempt = (): Promise<void> => {
      tries += 1
      return down()
    }
    const waiting = [1, 2, 3].map(() => failureOf(recovery.wait(attempt)))
    await pass(50)
    const failures = await Promise.all(waiting)
    expect([tries, new Set(failures).size]).to.deep.equal([1, 1])
    const later = failureOf(recovery.wait(attempt))
    await pass(100)
    await later
    expect(tries).to.equal(2)
  })

  it('is tried at once by who comes when the time is over', async () => {
    recovery.failed()
    now += 50
    let tries = 0
    await recovery.wait(async () => void (tries += 1))
    expect(tries).to.equal(1)
  })

  it('is as good as new once it was reached', () => {
    expect(recovery.isDue).to.equal(false)
    for (let turn = 0; turn < 5; turn += 1) recovery.failed()
    expect(recovery.isDue).to.equal(true)
    recovery.succeeded()
    expect([recovery.isDue, recovery.waitMs(0)]).to.deep.equal([false, 50])
  })
})

describe('the time between tries', () => {
  it('is never more than the longest, nor less than three quarters of what it should be', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(fc.nat(10_000), random, (tries, value) => {
        const ms = backoffMs(tries, { firstMs: 50, longestMs: 1000 }, () => value)
        const full = Math.min(1000, 50 * 2 ** tries)
        expect(ms).to.be.within(full * 0.75, full)
      }),
    )
  })
})
