import { isEngine } from '../../config/words.js'
import type { ConnectFailure } from '../../errors.js'
import type { NodeFacts } from './facts.js'
import { type Found, type NodeFinding, type NodeLimits, error, warning } from './finding.js'
import { type Case, judges, placeOf } from './judges.js'

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
