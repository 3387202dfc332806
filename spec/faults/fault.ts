import type { Stage } from './stage.js'
import type { Engine, FaultWorld } from './world.js'

/** Which errors callers may see. */
export interface AllowedErrors {
  readonly atMost: number
  /** The label of each. */
  readonly like: RegExp
  /** Which callers may see them. */
  readonly callers: RegExp
}

/** One row of the matrix. */
export interface Fault {
  readonly title: string
  /** The longest time for which a caller may be held, in milliseconds. */
  readonly boundMs: number
  /** None, if it does not say. */
  readonly errors?: AllowedErrors
  /** Why an engine has no figure. */
  readonly without?: Partial<Readonly<Record<Engine, string>>>
  run(stage: Stage): Promise<void>
  /** Undoes what `FaultWorld.heal` does not know of. */
  restore?(world: FaultWorld): Promise<unknown>
}
