import { ReadOnlyScopeError } from '../../errors.js'
import type { Runtime } from '../runtime.js'

/** Schemas are read and changed on primaries, also where the scope around reads replicas. */
export const onPrimaries = <T>({ scopes }: Runtime, work: () => T): T => scopes.usingPrimary(work)

/**
 * Refuses work that changes something in a scope of replicas.
 *
 * @throws ReadOnlyScopeError
 */
export const refuseInReplicaScope = ({ scopes, policy }: Runtime, operation: string): void => {
  if (scopes.current()?.role === 'replica' && policy.isEnabled)
    throw new ReadOnlyScopeError(scopes.currentShard(), operation)
}
