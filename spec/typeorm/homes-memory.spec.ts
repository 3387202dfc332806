import { expect } from 'chai'
import { compiled, runProgram } from '../examples/run-example.js'

describe('the homes of entities that nobody has any more', () => {
  it('take no memory: a million that were loaded leave nothing behind', async function () {
    // Most of it is TypeORM's, which makes the entities.
    this.timeout(60_000)
    const { lines, errors, exitCode } = await runProgram(
      compiled('spec/typeorm/homes-memory.child.js'),
    )
    expect(errors).to.equal('')
    expect(exitCode).to.equal(0)
    // A reference to each alone would be eight million bytes.
    expect(Number(lines[0])).to.be.below(1_000_000)
  })
})
