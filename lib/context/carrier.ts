import { AsyncLocalStorage } from 'node:async_hooks'
import { CarrierConflictError } from '../errors.js'
import type { Frame } from './frame.js'

/** Carries the innermost frame along asynchronous work. A process has one. */
export interface ContextCarrier {
  /** Shown in error messages. */
  readonly name: string
  /** Runs `work` with `frame` as the current one, for it and for all it starts. */
  enter<T>(frame: Frame, work: () => T): T
  /** The frame the caller runs in. */
  current(): Frame | undefined
}

/** The default carrier, over Node's own AsyncLocalStorage. */
const asyncLocalStorageCarrier = (): ContextCarrier => {
  const storage = new AsyncLocalStorage<Frame>()
  return {
    name: 'AsyncLocalStorage',
    enter: (frame, work) => storage.run(frame, work),
    current: () => storage.getStore(),
  }
}

let active: ContextCarrier | undefined

/**
 * Makes `carrier` the process's carrier.
 *
 * @throws CarrierConflictError if scopes are carried by another one already
 */
export const useCarrier = (carrier: ContextCarrier): void => {
  if (active !== undefined && active !== carrier)
    throw new CarrierConflictError(active.name, carrier.name)
  active = carrier
}

/** The frame the caller runs in; undefined while no scope was ever opened in the process. */
export const currentFrame = (): Frame | undefined => active?.current()

/** Runs `work` inside `frame`. The carrier is made here at first use: on Node 20 the mere existence
 *  of an AsyncLocalStorage in use costs every promise of the process. */
export const enterFrame = <T>(frame: Frame, work: () => T): T => {
  active ??= asyncLocalStorageCarrier()
  return active.enter(frame, work)
}
