import { expect } from 'chai'
import { callSite } from '../../lib/context/call-site.js'

describe('callSite', () => {
  it('is the first place outside the library', () => {
    expect(callSite()).to.match(/spec[/\\]context[/\\]call-site\.spec\.[jt]s:\d+:\d+$/)
  })

  it('skips Node.js itself', async () => {
    const site = await new Promise((resolve) => {
      setImmediate(() => resolve([1].map(() => callSite())[0]))
    })
    expect(site).to.match(/call-site\.spec\.[jt]s:\d+:\d+$/)
  })

  it('is not known where the stack that is kept has no such place', () => {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 1
    try {
      expect(callSite()).to.equal(undefined)
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
  })
})
