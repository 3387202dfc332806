import { expect } from 'chai'
import type { FailureKind } from '../../lib/pool/failure.js'
import { Lease } from '../../lib/pool/lease.js'
import { StubConnection, StubConnector, brazil, settle } from './stub-connector.js'

describe('Lease', () => {
  let returned: unknown[]
  let failures: FailureKind[]
  let lease: Lease

  beforeEach(() => {
    returned = []
    failures = []
    const keeper = {
      leaseReturned: (_: Lease, error: unknown) => returned.push(error),
      statementFailed: (_: Lease, kind: FailureKind) => failures.push(kind),
    }
    const connection = new StubConnection(new StubConnector())
    lease = new Lease(brazil.primary, [brazil.primary], 0, false, connection, keeper)
  })

  /** Says whether `work` has settled so far. */
  const settled = (work: Promise<void>): (() => boolean) => {
    let isSettled = false
    void work.then(() => (isSettled = true))
    return () => isSettled
  }

  it('is given back once, with the first reason', () => {
    const reason = new Error('broken')
    lease.release(reason)
    lease.release()
    lease.release(new Error('again'))
    expect([returned, lease.isReleased]).to.deep.equal([[reason], true])
  })

  it('tells its pool of failures until it is given back, and not after', () => {
    lease.began(2)
    lease.ended('deadlock')
    lease.release()
    lease.ended('lost')
    lease.failed('shutdown')
    expect(failures).to.deep.equal(['deadlock'])
  })

  it('rests when the last of its statements was answered', async () => {
    lease.began(2)
    const isResting = settled(lease.rested())
    lease.ended()
    await settle()
    expect([isResting(), lease.isRunning]).to.deep.equal([false, true])
    lease.ended()
    await settle()
    expect([isResting(), lease.isRunning]).to.deep.equal([true, false])
  })

  it('rests when it is given back, whatever is on its way', async () => {
    lease.began()
    const waiting = [settled(lease.rested()), settled(lease.returned())]
    lease.release()
    await settle()
    expect(waiting.map((isSettled) => isSettled())).to.deep.equal([true, true])
    await Promise.all([lease.rested(), lease.returned()])
  })

  it('frees all who wait for its end', async () => {
    lease.began()
    const waiting = [lease.rested(), lease.rested(), lease.returned(), lease.returned()]
    lease.release()
    await Promise.all(waiting)
  })

  it('closes a connection at once, and is given back later', () => {
    lease.abort()
    expect([(lease.physical as StubConnection).isClosed, lease.isSpoilt]).to.deep.equal([
      true,
      true,
    ])
    expect([lease.isReleased, returned]).to.deep.equal([false, []])
  })
})
