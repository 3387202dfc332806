import { expect } from 'chai'
import { MigrationLockError } from '../../lib/errors.js'
import { HeldLock, type LockSeat, takeLock } from '../../lib/migrations/lock.js'
import { failureOf } from '../typeorm/compat/support.js'

/** A lock that another holds for so many tries. */
class StubSeat implements LockSeat {
  readonly kind = 'run'
  tries = 0
  hasLeft = false
  isLost: boolean | Error = false
  readonly #freeAfter: number

  constructor(freeAfter: number) {
    this.#freeAfter = freeAfter
  }

  tryTake(): Promise<boolean> {
    this.tries += 1
    return Promise.resolve(this.tries > this.#freeAfter)
  }
  holder = (): Promise<string> => Promise.resolve('somebody')
  isHeld(): Promise<boolean> {
    return this.isLost instanceof Error
      ? Promise.reject(this.isLost)
      : Promise.resolve(!this.isLost)
  }
  leave(): Promise<void> {
    this.hasLeft = true
    return Promise.resolve()
  }
}

const never = new AbortController().signal

describe('the lock of a shard', () => {
  /** Takes it by a clock that goes on by so much at each look. */
  const take = (seat: StubSeat, timeoutMs: number, { step = 1, signal = never } = {}) => {
    let time = 0
    const waits: (string | undefined)[] = []
    const taken = takeLock('brazil', seat, {
      timeoutMs,
      signal,
      waiting: (holder) => waits.push(holder),
      now: () => (time += step),
    })
    return { taken, waits }
  }

  it('is taken at once where it is free', async () => {
    const seat = new StubSeat(0)
    const { taken, waits } = take(seat, 1000)
    expect(await taken).to.be.a('number')
    const lock = new HeldLock('brazil', seat)
    await lock.check()
    expect(waits).to.deep.equal([])
    expect(seat.hasLeft).to.equal(false)
    await lock.release()
    expect(seat.hasLeft).to.equal(true)
  })

  it('is waited for, and who holds it is told once', async () => {
    const seat = new StubSeat(2)
    const { taken, waits } = take(seat, 1000)
    await taken
    expect(seat.tries).to.equal(3)
    expect(waits).to.deep.equal(['somebody'])
  })

  it('is given up in time, with who holds it, and leaves nothing open', async () => {
    const seat = new StubSeat(Infinity)
    const { taken } = take(seat, 50, { step: 30 })
    const error = await failureOf(() => taken)
    expect(error).to.be.instanceOf(MigrationLockError)
    expect(error).to.include({ failure: 'timeout', shard: 'brazil', holder: 'somebody' })
    expect(seat.hasLeft).to.equal(true)
  })

  it('is asked for once where there is no time to wait', async () => {
    const seat = new StubSeat(1)
    expect(await failureOf(() => take(seat, 0).taken)).to.be.instanceOf(MigrationLockError)
    expect(seat.tries).to.equal(1)
  })

  it('is not waited for any more when the run is ended', async () => {
    const controller = new AbortController()
    const seat = new StubSeat(Infinity)
    const { taken } = take(seat, 60_000, { signal: controller.signal })
    controller.abort()
    expect(await taken).to.equal(undefined)
    expect(seat.hasLeft).to.equal(true)
  })

  it('is lost when its server does not answer any more', async () => {
    const seat = new StubSeat(0)
    seat.isHeld = () => new Promise(() => undefined)
    const lock = new HeldLock('brazil', seat, 20)
    const error = await failureOf(() => lock.check())
    expect(error).to.include({ failure: 'lost' })
    expect((error as Error).cause).to.have.property('message', 'no answer in 20 ms')
    await lock.release()
    expect(seat.hasLeft).to.equal(true)
  })

  for (const [title, isLost] of [
    ['that the server does not list any more', true],
    ['whose connection fails', new Error('gone')],
  ] as const)
    it(`refuses to go on with one ${title}`, async () => {
      const seat = new StubSeat(0)
      const lock = new HeldLock('brazil', seat)
      await lock.check()
      seat.isLost = isLost
      expect(await failureOf(() => lock.check())).to.include({ failure: 'lost' })
      seat.isLost = false
      // It may be another's meanwhile.
      expect(await failureOf(() => lock.check())).to.include({ failure: 'lost' })
      await lock.release()
    })
})
