import 'reflect-metadata'
import { operations } from '../overhead/operations.js'
import { answer } from '../support/child.js'
import { shuffled } from '../support/statistics.js'
import { withSdk, withoutSdk } from './telemetry.js'
import { type ObserverVariant, eventsHeard, observerVariants } from './variants.js'

const switchedVariants = async (): Promise<readonly ObserverVariant[]> =>
  (await observerVariants()).filter(({ isProcessWide }) => !isProcessWide)

/** What is measured in a process by itself: those of a whole process, and an SDK, slow down the others. */
const sets = {
  switched: switchedVariants,
  // In the company of the others: code that sees one kind of caller only is faster.
  lasting: observerVariants,
  withoutSdk,
  withSdk,
} as const
export type ObserverSet = keyof typeof sets

/** How much is measured. */
export interface ObserverPlan {
  readonly rounds: number
  readonly calls: number
  readonly set: ObserverSet
}

/** Microseconds of CPU for one call, round by round, by operation and variant. */
export type ObserverCosts = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>

const measured = { 'find by id': operations['find by id'], save: operations.save }
const concurrency = 16

const slice = async (
  { items, begin, around, finish, isProcessWide: isOn }: ObserverVariant,
  operation: (typeof measured)[keyof typeof measured],
  calls: number,
): Promise<number> => {
  let turn = 0
  const caller = async (): Promise<void> => {
    while (turn < calls) {
      const own = turn++
      await around(() => operation(items, own))
    }
  }
  const end = isOn ? undefined : await begin()
  const before = process.cpuUsage()
  await Promise.all(Array.from({ length: concurrency }, caller))
  await finish?.()
  const { user, system } = process.cpuUsage(before)
  await end?.()
  return (user + system) / calls
}

const { rounds, calls, set } = JSON.parse(process.argv[2] ?? '{}') as ObserverPlan
const variants = await sets[set]()
for (const { begin, isProcessWide } of variants) if (isProcessWide) await begin()
const costs: Record<string, Record<string, number[]>> = {}
for (const [name, operation] of Object.entries(measured)) {
  for (const variant of variants) await slice(variant, operation, calls)
  const own: Record<string, number[]> = (costs[name] = Object.fromEntries(
    variants.map((variant) => [variant.name, []]),
  ))
  for (let round = 0; round < rounds; round += 1)
    for (const variant of shuffled(variants))
      own[variant.name]?.push(await slice(variant, operation, calls))
}
if ((set === 'switched' || set === 'lasting') && eventsHeard() === 0)
  throw new Error('No event was heard.')
answer(costs)
