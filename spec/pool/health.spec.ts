import { mock } from 'node:test'
import { expect } from 'chai'
import { Health } from '../../lib/pool/health.js'
import { brazil } from './stub-connector.js'

const settle = (): Promise<void> => new Promise(setImmediate)

describe('a replica out of service', () => {
  const [replica] = brazil.replicas
  if (replica === undefined) throw new Error('brazil has replicas')
  let isUp: boolean
  let told: boolean[]
  let probes: number
  let isKnown: boolean
  let health: Health

  beforeEach(() => {
    isUp = false
    told = []
    probes = 0
    isKnown = true
    health = new Health({
      setOnline: (_, isOnline) => told.push(isOnline),
      isKnown: () => isKnown,
      probe: async () => {
        probes += 1
        if (!isUp) throw new Error('still down')
      },
      warn: () => undefined,
      random: () => 0,
    })
    mock.timers.enable({ apis: ['setTimeout'] })
  })
  afterEach(() => mock.timers.reset())

  const pass = async (ms: number): Promise<void> => {
    mock.timers.tick(ms)
    await settle()
  }

  it('is probed at once, and back if that was all', async () => {
    isUp = true
    health.eject(replica, 'a connection was lost')
    expect([told, health.whyOut(replica)]).to.deep.equal([[false], 'a connection was lost'])
    await pass(0)
    expect([told, health.whyOut(replica)]).to.deep.equal([[false, true], undefined])
  })

  it('is probed after 1 s, then twice as long apart up to 30 s, until it is back', async () => {
    health.eject(replica, 'refused')
    await pass(0)
    expect([probes, health.whyOut(replica)]).to.deep.equal([1, 'still down'])
    for (const [index, seconds] of [1, 2, 4, 8, 16, 30, 30].entries()) {
      await pass(seconds * 1000 - 1)
      expect(probes, `before ${seconds} s`).to.equal(index + 1)
      await pass(1)
      expect(probes, `after ${seconds} s`).to.equal(index + 2)
    }
    isUp = true
    await pass(30_000)
    expect(told).to.deep.equal([false, true])
    await pass(60_000)
    expect(probes).to.equal(9)
  })

  it('is taken out once, however often it fails', () => {
    health.eject(replica, 'refused')
    health.eject(replica, 'lost')
    expect([told, health.whyOut(replica)]).to.deep.equal([[false], 'lost'])
  })

  it('is never a primary, nor one that left the topology', () => {
    health.eject(brazil.primary, 'refused')
    isKnown = false
    health.eject(replica, 'refused')
    expect(told).to.deep.equal([])
  })

  it('is forgotten with its timer', async () => {
    health.eject(replica, 'refused')
    health.forget(replica)
    expect([told, health.whyOut(replica)]).to.deep.equal([[false, true], undefined])
    await pass(60_000)
    health.eject(replica, 'refused')
    health.reset()
    expect([told, health.whyOut(replica)]).to.deep.equal([[false, true, false, true], undefined])
    await pass(60_000)
    expect(probes).to.equal(0)
  })
})
