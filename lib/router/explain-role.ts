import type { RouteReason } from '../trace/event.js'
import { type Situation, askRules, rules } from './role-rules.js'

/** A rule, and in words why it applied or did not. */
export interface ExplainedRule<R extends string> {
  readonly rule: R
  readonly applied: boolean
  readonly why: string
}

/**
 * The role rules as they were asked, up to the one that decided.
 *
 * @throws what `decide` throws
 */
export const explainRole = (situation: Situation): readonly ExplainedRule<RouteReason>[] => {
  const { rule: decided, chosen } = askRules(situation)
  const passed = rules.slice(0, decided.at).map(({ name, whyNot }) => ({
    rule: name,
    applied: false,
    why: whyNot(situation),
  }))
  const rule = chosen.reason ?? decided.name
  return [...passed, { rule, applied: true, why: decided.because(situation) }]
}
