import type { NodeFacts, ReplicationFacts, ServerFacts } from './facts.js'
import { type Found, type NodeLimits, error, warning } from './finding.js'

/** A server that told, its primary, which may not have, and its siblings. */
export interface Case {
  readonly facts: NodeFacts
  readonly server: ServerFacts
  readonly primary: NodeFacts
  readonly siblings: readonly NodeFacts[]
  readonly limits: NodeLimits
}

/** Where a server is, in words. */
export const placeOf = ({ host, port, database }: NodeFacts): string =>
  host === undefined ? (database ?? 'memory') : port === undefined ? host : `${host}:${port}`

const ofPrimaryRole = ({ actualRole, takesWrites, replication }: ServerFacts): Found[] => {
  if (actualRole === 'primary' && takesWrites) return []
  if (replication?.isRunning !== undefined)
    return [
      error(
        'wrong-role',
        'is configured as the primary, and is a replica',
        'Name the present primary, by the configuration or updateNode(); or promote this server.',
      ),
    ]
  return [
    error(
      'read-only',
      'is configured as the primary, and takes no writes',
      'Name the present primary; or let this server write (read_only, default_transaction_read_only).',
    ),
  ]
}

const ofReplicaRole = ({ actualRole, takesWrites, clusteredBy }: ServerFacts): Found[] => {
  if (clusteredBy !== undefined) return []
  if (actualRole === 'primary')
    return [
      error(
        'wrong-role',
        'is configured as a replica, and copies from no server: it is a primary',
        'Take it out of the replicas; or make it a replica again.',
      ),
    ]
  if (!takesWrites) return []
  return [
    warning(
      'read-only',
      'is a replica, and takes writes',
      'Make it read-only (read_only = ON), so that nothing is written past its primary.',
    ),
  ]
}

const ofRole = ({ facts, server }: Case): Found[] =>
  facts.role === 'primary' ? ofPrimaryRole(server) : ofReplicaRole(server)

const lagOf = ({ lagMs, why }: ReplicationFacts, { maxLagMs }: NodeLimits): Found[] => {
  if (lagMs === undefined)
    return [
      warning(
        'lag',
        `does not tell how far it is behind: ${why ?? 'its status leaves it out'}`,
        'Look at its replication status.',
      ),
    ]
  if (lagMs <= maxLagMs) return []
  return [
    error(
      'lag',
      `is ${lagMs} ms behind its primary, more than ${maxLagMs} ms`,
      'Look for what holds it up; take it out of the replicas until it has caught up.',
    ),
  ]
}

const ofReplication = ({ facts, server, limits }: Case): Found[] => {
  const { replication, actualRole, clusteredBy } = server
  if (facts.role === 'primary' || clusteredBy !== undefined) return []
  if (replication === undefined)
    return actualRole === 'replica'
      ? [
          error(
            'replication',
            'takes no writes, and copies from no server',
            'Let it follow its primary again; until then it shows what it had.',
          ),
        ]
      : []
  if (replication.isRunning === undefined)
    return [
      warning(
        'replication',
        `does not tell of its replication: ${replication.why}`,
        'Grant it, to see whether it replicates and how far it is behind.',
      ),
    ]
  if (!replication.isRunning)
    return [
      error(
        'replication',
        `does not replicate: ${replication.why}`,
        'Correct what stopped it and start replication again; until then it shows what it had.',
      ),
    ]
  return lagOf(replication, limits)
}

/** Whether a replica copies its shard's primary, or a sibling that does; undefined if that is not known. */
const copiesItsPrimary = ({ server, primary, siblings }: Case): boolean | undefined => {
  const { replication, identity, position } = server
  const source = replication?.sourceIdentity
  if (source !== undefined && primary.server?.identity !== undefined)
    return [primary, ...siblings].some((node) => node.server?.identity === source)
  if (replication === undefined || primary.server === undefined) return undefined
  // PostgreSQL's copies have the identity of what they copy. Those of one template have it too, so that
  // what it has received must have been written as well.
  if (identity !== undefined && primary.server.identity !== undefined)
    if (identity !== primary.server.identity) return false
  const written = primary.server.position
  if (position === undefined || written === undefined) return undefined
  return BigInt(position) > BigInt(written) ? false : undefined
}

const ofPrimary = (the: Case): Found[] => {
  const { facts, server, primary } = the
  if (facts.role === 'primary' || copiesItsPrimary(the) !== false) return []
  const from = server.replication?.source === undefined ? '' : ` (${server.replication.source})`
  return [
    error(
      'other-primary',
      `copies another server${from} than its primary ${primary.node} (${placeOf(primary)})`,
      'Correct under which shard it is listed, or which server it follows.',
    ),
  ]
}

const ofClock = ({ server, limits }: Case): Found[] => {
  const { clockOffsetMs, clockErrorMs } = server
  const { maxClockOffsetMs } = limits
  if (Math.abs(clockOffsetMs) - clockErrorMs <= maxClockOffsetMs) return []
  const side = clockOffsetMs > 0 ? 'ahead of' : 'behind'
  return [
    warning(
      'clock',
      `its clock is ${Math.abs(clockOffsetMs)} ms ${side} this process's`,
      'Let both follow a time server.',
    ),
  ]
}

const ofVersion = ({ facts, server, primary }: Case): Found[] => {
  const expected = primary.server?.version
  if (facts.role === 'primary' || expected === undefined || expected === server.version) return []
  return [
    warning(
      'version',
      `has version ${server.version}, and its primary ${expected}`,
      'Bring them to one version, replicas first.',
    ),
  ]
}

const compared = {
  timeZone: 'time zone',
  characterSet: 'character set',
  collation: 'collation',
  isolation: 'default isolation level',
} as const satisfies Partial<Record<keyof ServerFacts, string>>

const ofSettings = ({ facts, server, primary }: Case): Found[] => {
  if (facts.role === 'primary') return []
  return (Object.keys(compared) as (keyof typeof compared)[]).flatMap((key) => {
    const [own, expected] = [server[key], primary.server?.[key]]
    if (own === undefined || expected === undefined || own === expected) return []
    return [
      warning(
        'settings',
        `its ${compared[key]} is ${own}, and its primary's ${expected}`,
        'Give both the same: a read must not depend on the server that answers it.',
      ),
    ]
  })
}

/** What each looks at. */
export const judges = [ofRole, ofReplication, ofPrimary, ofClock, ofVersion, ofSettings]
