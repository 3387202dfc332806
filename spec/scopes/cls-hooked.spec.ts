import { expect } from 'chai'
import { runMocha } from '../support/child-mocha.js'

describe('the scope suite over cls-hooked', () => {
  it('passes as it does over AsyncLocalStorage', async function () {
    this.timeout(60_000)
    const { passes, failures, output } = await runMocha(
      new URL('./scopes.spec.js', import.meta.url),
      { env: { OCTOPUS_SPEC_CARRIER: 'cls-hooked' } },
    )
    expect(failures).to.deep.equal([])
    expect(passes, output).to.be.above(40)
    expect(output).to.contain('scopes carried by cls-hooked')
  })
})
