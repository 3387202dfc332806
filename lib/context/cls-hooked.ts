import type { ContextCarrier } from './carrier.js'
import type { Frame } from './frame.js'

/** The part of a cls-hooked namespace that carries a frame. */
export interface ClsNamespace {
  get(key: string): unknown
  set<T>(key: string, value: T): T
  runAndReturn<T>(work: () => T): T
}

const key = 'typeorm-octopus:frame'
const carriers = new WeakMap<ClsNamespace, ContextCarrier>()

/**
 * A carrier over a cls-hooked namespace, for applications whose context already travels in one:
 * `octopus(dataSource, { carrier: clsHookedCarrier(createNamespace('app')), … })`.
 *
 * @param namespace - what `createNamespace` or `getNamespace` of cls-hooked returned
 * @returns the same carrier each time for the same namespace
 */
export const clsHookedCarrier = (namespace: ClsNamespace): ContextCarrier => {
  const known = carriers.get(namespace)
  if (known !== undefined) return known
  const carrier: ContextCarrier = {
    name: 'cls-hooked',
    enter: <T>(frame: Frame, work: () => T): T =>
      namespace.runAndReturn(() => {
        namespace.set(key, frame)
        return work()
      }),
    // Only enter() above writes this key.
    current: () => namespace.get(key) as Frame | undefined,
  }
  carriers.set(namespace, carrier)
  return carrier
}
