import { expect } from 'chai'
import type { EngineName } from '../support/engines/endpoint.js'
import { engineTitles } from './behaviours-page.js'
import { LiveWorld } from './live-world.js'
import { permuted, permutedVariable } from './permutation.js'
import { rowFiles } from './rows/index.js'
import { inOrder } from './statement-record.js'

/** Runs the rows of the catalogue that an engine has. */
export const describeRows = (engine: EngineName): void => {
  const isPermuted = process.env[permutedVariable] === '1'
  describe(`Octopus's behaviours on ${engineTitles[engine]}`, () => {
    let world: LiveWorld

    before(async function () {
      this.timeout(60_000)
      world = await LiveWorld.start(engine)
    })
    afterEach(() => world.reset())
    after(async function () {
      this.timeout(60_000)
      await world?.stop()
    })

    for (const { file, rows } of rowFiles)
      describe(file, () => {
        for (const { number, title, program, expected, engines } of rows)
          if (engines === undefined || engines.includes(engine))
            it(`[${number}] ${title}`, async () => {
              const awaited = isPermuted ? permuted(expected) : expected
              const found = await world.statementsOf(() => program(world), awaited)
              expect(found, 'statements by server').to.deep.equal(inOrder(awaited))
            })
      })
  })
}
