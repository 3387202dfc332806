import { isEngine } from '../../config/words.js'
import type { ConnectFailure } from '../../errors.js'
import type { Role } from '../../trace/event.js'
import type { NodeFacts, ReplicationFacts, ServerFacts } from './facts.js'

/** What a finding is about. */
export const nodeFindingKinds = [
  'ok',
  'unasked',
  'unreachable',
  'wrong-role',
  'read-only',
  'replication',
  'lag',
  'other-primary',
  'version',
  'clock',
  'settings',
] as const
export type NodeFindingKind = (typeof nodeFindingKinds)[number]

/** Something that was found out about a server. */
export interface NodeFinding {
  readonly shard: string
  readonly node: string
  /** As it is configured. */
  readonly role: Role
  /** `error`: work on it fails or is wrong. `warning`: it may be. */
  readonly level: 'ok' | 'warning' | 'error'
  readonly kind: NodeFindingKind
  readonly what: string
  /** What to do about it; undefined where there is nothing to be done. */
  readonly remedy: string | undefined
}

/** From when on something counts; in milliseconds. */
export interface NodeLimits {
  readonly maxLagMs: number
  readonly maxClockOffsetMs: number
}

type Found = Pick<NodeFinding, 'kind' | 'level' | 'remedy' | 'what'>

/** A server that told, its primary, which may not have, and its siblings. */
interface Case {
  readonly facts: NodeFacts
  readonly server: ServerFacts
  readonly primary: NodeFacts
  readonly siblings: readonly NodeFacts[]
  readonly limits: NodeLimits
}

const error = (kind: NodeFindingKind, what: string, remedy: string): Found => ({
  level: 'error',
  kind,
  what,
  remedy,
})

const warning = (kind: NodeFindingKind, what: string, remedy: string): Found => ({
  level: 'warning',
  kind,
  what,
  remedy,
})

const remedies: Readonly<Record<ConnectFailure, string>> = {
  'unknown-database': 'Create the database, or correct "database".',
  'access-denied': 'Correct "username" and "password", or what the server allows this user.',
  'host-unreachable':
    'Start the server, or correct "host" and "port", and what stands between it and here.',
  dns: 'Correct "host", or the name service.',
  'too-many-connections': 'Raise the server’s limit, or make poolSize smaller.',
  tls: 'Correct "ssl", or the server’s certificate.',
  'wrong-role': 'Correct which server is the primary.',
  'version-mismatch': 'Upgrade the server.',
  other: 'See what the server says.',
}

const placeOf = ({ host, port, database }: NodeFacts): string =>
  host === undefined ? (database ?? 'memory') : port === undefined ? host : `${host}:${port}`

const ofRole = ({ facts, server }: Case): Found[] => {
  const { actualRole, takesWrites, replication, clusteredBy } = server
  if (facts.role === 'primary') {
    if (actualRole === 'primary' && takesWrites) return []
    const isCopy = replication?.isRunning !== undefined
    return [
      actualRole === 'replica' && isCopy
        ? error(
            'wrong-role',
            'is configured as the primary, and is a replica',
            'Name the present primary, by the configuration or updateNode(); or promote this server.',
          )
        : error(
            'read-only',
            'is configured as the primary, and takes no writes',
            'Name the present primary; or let this server write (read_only, default_transaction_read_only).',
          ),
    ]
  }
  if (actualRole === 'replica' || clusteredBy !== undefined)
    return takesWrites && clusteredBy === undefined
      ? [
          warning(
            'read-only',
            'is a replica, and takes writes',
            'Make it read-only (read_only = ON), so that nothing is written past its primary.',
          ),
        ]
      : []
  return [
    error(
      'wrong-role',
      'is configured as a replica, and copies from no server: it is a primary',
      'Take it out of the replicas; or make it a replica again.',
    ),
  ]
}

const lagOf = ({ lagMs, why }: ReplicationFacts, { maxLagMs }: NodeLimits): Found[] => {
  if (lagMs === undefined)
    return [warning('lag', `does not tell how far it is behind: ${why}`, 'See why.')]
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
      warning('replication', `does not tell of its replication: ${replication.why}`, 'Grant it.'),
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

const judges = [ofRole, ofReplication, ofPrimary, ofClock, ofVersion, ofSettings]

const seconds = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`)

const inOrder = ({ facts, server }: Pick<Case, 'facts' | 'server'>): string => {
  const lagMs = server.replication?.lagMs
  const behind = lagMs === undefined ? '' : `, ${seconds(lagMs)} behind`
  return `${facts.role} of version ${server.version}${behind}`
}

const foundOut = (
  facts: NodeFacts,
  shard: readonly [NodeFacts, ...NodeFacts[]],
  limits: NodeLimits,
): readonly Found[] => {
  if (facts.error !== undefined) {
    const { failure, message } = facts.error
    const remedy =
      facts.host === undefined
        ? 'It is made at its first use; correct the path if it should be there.'
        : remedies[failure]
    const found = facts.host === undefined ? warning : error
    return [found('unreachable', `${placeOf(facts)}: ${message}`, remedy)]
  }
  const { server, engine } = facts
  if (!isEngine(engine))
    return [
      warning(
        'unasked',
        `its engine, ${engine}, is none that this library knows`,
        'Check it by its own tools.',
      ),
    ]
  const ok: Found = { level: 'ok', kind: 'ok', what: placeOf(facts), remedy: undefined }
  if (server === undefined) return [ok]
  const siblings = shard.filter((node) => node !== facts && node.role === 'replica')
  const the = { facts, server, primary: shard[0], siblings, limits }
  const found = judges.flatMap((judge) => judge(the))
  return found.length === 0 ? [{ ...ok, what: inOrder(the) }] : found
}

/** Judges what the servers of one shard have told, the primary first. */
export const findingsOf = (
  shard: readonly NodeFacts[],
  limits: NodeLimits,
): readonly NodeFinding[] => {
  const [primary, ...replicas] = shard
  if (primary === undefined) return []
  return shard.flatMap((facts) =>
    foundOut(facts, [primary, ...replicas], limits).map(({ level, kind, what, remedy }) => {
      const { shard: name, node, role } = facts
      return Object.freeze({ shard: name, node, role, level, kind, what, remedy })
    }),
  )
}
