import { expect } from 'chai'
import fc from 'fast-check'
import { scopesOver, standing } from './support.js'

/** What one piece of work does: looks where it stands after each pause, and opens scopes. */
type Step =
  | { readonly kind: 'pause' }
  | { readonly kind: 'using'; readonly shard: string; readonly inside: readonly Step[] }
  | { readonly kind: 'primary' | 'replica' | 'reports' | 'scope'; readonly inside: readonly Step[] }
  | { readonly kind: 'together'; readonly tasks: readonly (readonly Step[])[] }
  | { readonly kind: 'fail'; readonly inside: readonly Step[] }

const { steps } = fc.letrec<{ steps: readonly Step[]; step: Step }>((tie) => {
  const inside = tie('steps')
  return {
    steps: fc.array(tie('step'), { maxLength: 4, depthIdentifier: 'steps' }),
    step: fc.oneof(
      { depthIdentifier: 'steps', maxDepth: 4, withCrossShrink: true },
      fc.constant({ kind: 'pause' as const }),
      fc.record({
        kind: fc.constant('using' as const),
        shard: fc.constantFrom('master', 'brazil', 'canada'),
        inside,
      }),
      fc.record({
        kind: fc.constantFrom(
          'primary' as const,
          'replica' as const,
          'reports' as const,
          'scope' as const,
        ),
        inside,
      }),
      fc.record({
        kind: fc.constant('together' as const),
        tasks: fc.array(inside, { maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant('fail' as const), inside }),
    ),
  }
})

/** The model: what is stated is handed down by value, so no order of events can mix it. */
interface Stated {
  readonly shard: string
  readonly role: string
}

const told = ({ shard, role }: Stated): string => [shard, role].filter(Boolean).join(' ')
const roleWords = { primary: 'primary', replica: 'replica', reports: 'replica reports' } as const

/** That scopes of concurrent work never mix, in any order in which its pauses end. */
export const describeInterleaving = (carrier: string): void => {
  describe(`interleaved scopes carried by ${carrier}`, () => {
    const scopes = scopesOver()

    const play = async (
      plan: readonly Step[],
      stated: Stated,
      pause: () => Promise<void>,
      faults: string[],
    ): Promise<void> => {
      const look = (): void => {
        const actual = standing(scopes)
        if (actual !== told(stated)) faults.push(`stands at ${actual}, not ${told(stated)}`)
      }
      const go = (inside: readonly Step[], next: Stated) => () => play(inside, next, pause, faults)
      const perform = (step: Step): Promise<unknown> => {
        switch (step.kind) {
          case 'pause':
            return pause()
          case 'using':
            return scopes.using(step.shard, go(step.inside, { ...stated, shard: step.shard }))
          case 'primary':
            return scopes.usingPrimary(go(step.inside, { ...stated, role: 'primary' }))
          case 'replica':
          case 'reports': {
            const options = step.kind === 'reports' ? { group: 'reports' } : {}
            const role = roleWords[step.kind]
            return scopes.usingReplica(options, go(step.inside, { ...stated, role }))
          }
          case 'scope':
            return scopes.scope(go(step.inside, stated))
          case 'together':
            return Promise.all(step.tasks.map((task) => go(task, stated)()))
          case 'fail':
            return scopes
              .using('canada', async () => {
                await go(step.inside, { ...stated, shard: 'canada' })()
                throw new Error('planned')
              })
              .catch(() => undefined)
          default:
            return step satisfies never
        }
      }
      look()
      for (const step of plan) {
        await perform(step)
        look()
      }
    }

    it('never mix', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          fc.array(steps, { minLength: 2, maxLength: 4 }),
          async (scheduler, plans) => {
            const faults: string[] = []
            const pause = (): Promise<void> => scheduler.schedule(Promise.resolve())
            const start = { shard: 'master', role: '' }
            const all = Promise.all(plans.map((plan) => play(plan, start, pause, faults)))
            await scheduler.waitFor(all)
            expect(faults).to.deep.equal([])
            expect(scopes.current()).to.equal(undefined)
          },
        ),
        { numRuns: 300 },
      )
    }).timeout(60_000)
  })
}
