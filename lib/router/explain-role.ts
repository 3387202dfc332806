import type { RouteReason } from '../trace/event.js'
import { type RoleRule, type Situation, askRules, rules } from './role-rules.js'

/** A rule, and in words why it applied or did not. */
export interface ExplainedRule<R extends string> {
  readonly rule: R
  readonly applied: boolean
  readonly why: string
}

/** The first of a name: some kinds of statements have another of that name further down. */
const ruleNamed = (wanted: RouteReason): readonly RoleRule[] =>
  rules.filter(({ name }) => name === wanted).slice(0, 1)

/**
 * The role rules as they were asked, up to the one that decided: each of the event's `passedOver` once.
 *
 * @throws what `decide` throws
 */
export const explainRole = (situation: Situation): readonly ExplainedRule<RouteReason>[] => {
  const { rule: decided, chosen } = askRules(situation)
  const passed = decided.passedOver.flatMap(ruleNamed).map(({ name, whyNot }) => ({
    rule: name,
    applied: false,
    why: whyNot(situation),
  }))
  const rule = chosen.reason ?? decided.name
  return [...passed, { rule, applied: true, why: decided.because(situation) }]
}
