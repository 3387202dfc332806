import { appendFileSync } from 'node:fs'
import { expect } from 'chai'
import { labelOf } from '../support/faults/call-log.js'
import { engineTitles, type Measured, recordVariable } from './faults-page.js'
import type { Fault } from './fault.js'
import { faults } from './rows/index.js'
import { type Figures, Stage } from './stage.js'
import { type Engine, FaultWorld } from './world.js'

/** Figures for docs/faults.md, if somebody asks for them. */
const record = (engine: Engine, title: string, figures: Figures): void => {
  const file = process.env[recordVariable]
  const entry: Measured = { engine, title, figures }
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(entry)}\n`)
}

const check = (fault: Fault, stage: Stage, figures: Figures): void => {
  const { atMost, like, callers } = fault.errors ?? { atMost: 0, like: /^$/, callers: /^$/ }
  const failed = stage.failed.filter(
    ({ error, caller }) => !like.test(labelOf(error)) || !callers.test(caller),
  )
  const strange = failed.map(({ error, caller }) => `${caller}: ${labelOf(error)}`)
  expect([...new Set(strange)], 'errors that no caller may see').to.deep.equal([])
  expect(stage.failed.length, `errors ${JSON.stringify(figures.errors)}`).to.be.at.most(atMost)
  expect(figures.heldMs, 'the longest call').to.be.at.most(fault.boundMs)
  const { writesOnReplica, wrongShard, connectionsLeft } = figures
  expect({ writesOnReplica, wrongShard, connectionsLeft }).to.deep.equal({
    writesOnReplica: 0,
    wrongShard: 0,
    connectionsLeft: 0,
  })
}

/** Runs the matrix on one engine. */
export const describeFaults = (engine: Engine): void => {
  describe(`faults on ${engineTitles[engine]}`, () => {
    let world: FaultWorld
    let stage: Stage

    before(async function () {
      this.timeout(60_000)
      world = await FaultWorld.start(engine)
    })
    after(async function () {
      this.timeout(60_000)
      await world?.stop()
    })

    for (const fault of faults) {
      if (fault.without?.[engine] !== undefined) continue
      describe(fault.title, () => {
        beforeEach(() => {
          stage = new Stage(world)
        })
        afterEach(async function () {
          this.timeout(20_000)
          await world.heal()
          await stage.leave()
          await fault.restore?.(world)
        })

        it('stays within its bounds', async function () {
          this.timeout(30_000)
          await fault.run(stage)
          const figures = await stage.figures()
          record(engine, fault.title, figures)
          check(fault, stage, figures)
        })
      })
    }
  })
}
