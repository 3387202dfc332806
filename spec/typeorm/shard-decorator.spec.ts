import { expect } from 'chai'
import { runMocha } from '../support/child-mocha.js'

describe('@Shard, in a process with one wrapped data source', () => {
  it('runs methods on the shard it names', async function () {
    this.timeout(30_000)
    const suite = new URL('./shard-decorator.suite.js', import.meta.url)
    const { passes, failures, output } = await runMocha(suite)
    expect(failures).to.deep.equal([])
    expect(passes, output).to.be.above(18)
  })
})
