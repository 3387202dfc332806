import type { ExplainedRule } from '../router/explain-role.js'
import type { WhatIf } from '../router/what-if.js'
import type { Explanation } from './explain.js'

/** An explanation that has no words yet. */
type Facts = Omit<Explanation, 'report' | 'text'>

/** `find User → brazil/replica (br-2): read outside a transaction; shard by scope.` */
export const explanationText = (facts: Facts): string => {
  const { operation, subject, shard, role, candidates, reason, shardReason } = facts
  return `${operation} ${subject} → ${shard}/${role} (${candidates.join(', ')}): ${reason}; shard by ${shardReason}.`
}

const ruleLine = ({ rule, applied, why }: ExplainedRule<string>): string =>
  `  ${applied ? '→' : '-'} ${rule}: ${why}`

const changeLine = ({ when, shard, role }: WhatIf): string =>
  role === undefined
    ? `  - would be refused if ${when}`
    : `  - would go to ${shard}/${role} if ${when}`

/** The whole decision, line by line. */
export const explanationReport = (facts: Facts): string => {
  const { shard, role, shardRules, roleRules, changes, skipped } = facts
  const lines = [
    explanationText(facts),
    `Why ${shard}:`,
    ...shardRules.map(ruleLine),
    `Why ${role}:`,
    ...roleRules.map(ruleLine),
    ...(skipped.length > 0 ? ['Not among the servers:'] : []),
    ...skipped.map(({ node, why }) => `  - ${node}: ${why}`),
    ...(changes.length > 0 ? ['What would change it:'] : []),
    ...changes.map(changeLine),
  ]
  return lines.join('\n')
}
