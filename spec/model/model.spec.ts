import fc from 'fast-check'
import { programs } from './arbitrary.js'
import { Run } from './run.js'
import { Stage } from './stage.js'

/** How many random programs are run; more of them by hand, with OCTOPUS_MODEL_RUNS. */
const numRuns = Number(process.env['OCTOPUS_MODEL_RUNS'] ?? 1000)

describe('random programs of scopes, handles, transactions, entities and builders', () => {
  let stage: Stage

  before(async () => {
    stage = await Stage.open()
  })
  after(() => stage.close())

  it('send each statement where the reference model says', async function () {
    this.timeout(60_000 + numRuns * 60)
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        await stage.reset()
        await new Run(stage).program(program)
      }),
      { numRuns },
    )
  })
})
