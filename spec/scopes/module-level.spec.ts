import { expect } from 'chai'
import { runMocha } from '../support/child-mocha.js'

describe('the module-level functions, in a process of their own', () => {
  it('act on the one data source of the process, and throw without one', async function () {
    this.timeout(30_000)
    const suite = new URL('./module-level.suite.js', import.meta.url)
    const { passes, failures, output } = await runMocha(suite, { nodeOptions: ['--expose-gc'] })
    expect(failures).to.deep.equal([])
    expect(passes, output).to.equal(14)
  })
})
