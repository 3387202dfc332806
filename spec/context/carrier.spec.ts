import { expect } from 'chai'
import {
  type ContextCarrier,
  currentFrame,
  enterFrame,
  useCarrier,
} from '../../lib/context/carrier.js'
import { type ClsNamespace, clsHookedCarrier } from '../../lib/context/cls-hooked.js'
import { type Frame, childFrame } from '../../lib/context/frame.js'
import { CarrierConflictError } from '../../lib/errors.js'

const frame = (): Frame => childFrame({}, undefined, undefined, { label: 'scope' })

/** The part of a cls-hooked namespace that is synchronous. */
const namespace = (): ClsNamespace => {
  let values = new Map<string, unknown>()
  return {
    get: (key) => values.get(key),
    set: (key, value) => {
      values.set(key, value)
      return value
    },
    runAndReturn: (work) => {
      const outer = values
      values = new Map(outer)
      try {
        return work()
      } finally {
        values = outer
      }
    },
  }
}

describe('the carrier of the process', () => {
  it('carries a frame into its work, and nowhere else', async () => {
    const [outer, inner] = [frame(), frame()]
    const before = currentFrame()
    await enterFrame(outer, async () => {
      expect(currentFrame()).to.equal(outer)
      await Promise.resolve()
      enterFrame(inner, () => expect(currentFrame()).to.equal(inner))
      expect(currentFrame()).to.equal(outer)
    })
    expect(currentFrame()).to.equal(before)
  })

  it('leaves a frame whose work throws', () => {
    const before = currentFrame()
    const failure = new Error('work failed')
    expect(() =>
      enterFrame(frame(), () => {
        throw failure
      }),
    ).to.throw(failure)
    expect(currentFrame()).to.equal(before)
  })

  it('cannot be another one once a scope was opened', () => {
    enterFrame(frame(), () => undefined)
    const other: ContextCarrier = {
      name: 'another',
      enter: (_frame, work) => work(),
      current: () => undefined,
    }
    expect(() => useCarrier(other)).to.throw(CarrierConflictError, /one carrier.*another/)
  })
})

describe('clsHookedCarrier', () => {
  it('is the same for the same namespace, so that each octopus() call may pass it', () => {
    const app = namespace()
    expect(clsHookedCarrier(app)).to.equal(clsHookedCarrier(app))
    expect(clsHookedCarrier(app)).to.not.equal(clsHookedCarrier(namespace()))
  })

  it("keeps the frame beside the application's own values", () => {
    const app = namespace()
    const carrier = clsHookedCarrier(app)
    const scope = frame()
    app.runAndReturn(() => {
      app.set('user', 'ana')
      carrier.enter(scope, () => {
        expect(carrier.current()).to.equal(scope)
        expect(app.get('user')).to.equal('ana')
      })
      expect(carrier.current()).to.equal(undefined)
    })
  })
})
