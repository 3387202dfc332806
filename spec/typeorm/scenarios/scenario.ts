import { expect } from 'chai'
import { until } from '../../support/until.js'
import { Bed } from './bed.js'
import type { BedPlan } from './plans.js'

/** One behaviour that holds on every engine, or on those that `on` admits. */
export interface Scenario {
  readonly title: string
  readonly run: (bed: Bed) => Promise<void>
  readonly on: (engines: BedPlan['engines']) => boolean
}

/**
 * @param number the scenario's number, or what it belongs to
 * @param on which engines have what it is about; all by default
 */
export const scenario = (
  number: number,
  behaviour: string,
  run: Scenario['run'],
  on: Scenario['on'] = () => true,
): Scenario => ({ title: `[${String(number).padStart(2, '0')}] ${behaviour}`, run, on })

/** Runs scenarios on one bed, which starts once, and checks that it leaves nothing open. */
export const describeScenarios = (
  title: string,
  plan: BedPlan,
  themes: Readonly<Record<string, readonly Scenario[]>>,
): void => {
  describe(title, () => {
    let bed: Bed

    before(async function () {
      this.timeout(60_000)
      bed = await Bed.start(plan)
    })

    beforeEach(() => bed.reset())

    afterEach('no connection is left out', async () => {
      const out = () => bed.db.octopus.pools().filter(({ active }) => active > 0)
      await until(() => out().length === 0, { what: 'all leases to be given back' })
    })

    after('nothing stays open', async function () {
      this.timeout(60_000)
      if (bed === undefined) return
      try {
        expect(bed.db.octopus.pools().filter(({ active }) => active > 0)).to.deep.equal([])
        await bed.db.destroy()
        await until(async () => (await bed.connections()) === 0, { what: 'no socket to be left' })
        expect(await bed.untold(), 'statements and events').to.deep.equal([])
      } finally {
        await bed.stop()
      }
    })

    for (const [theme, scenarios] of Object.entries(themes))
      describe(theme, () => {
        for (const { title: behaviour, run, on } of scenarios)
          if (on(plan.engines)) it(behaviour, () => run(bed))
      })
  })
}
