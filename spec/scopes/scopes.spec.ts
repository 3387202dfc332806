import { useCarrier } from '../../lib/context/carrier.js'
import { clsHookedCarrier } from '../../lib/context/cls-hooked.js'
import { describeFanOut } from './fan-out.js'
import { describeInterleaving } from './interleaving.js'
import { describeScopes } from './suite.js'

// A process has one carrier: `cls-hooked.spec.ts` runs this file once more, in a process of its own.
const carrier = process.env['OCTOPUS_SPEC_CARRIER'] ?? 'AsyncLocalStorage'

if (carrier === 'cls-hooked') {
  // Importing it installs async hooks, which only this carrier's users should pay for.
  const { default: cls } = await import('cls-hooked')
  useCarrier(clsHookedCarrier(cls.createNamespace('spec')))
}

describeScopes(carrier)
describeInterleaving(carrier)
describeFanOut(carrier)
