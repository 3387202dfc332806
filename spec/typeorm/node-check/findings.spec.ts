import { expect } from 'chai'
import type { NodeFacts, ReplicationFacts, ServerFacts } from '../../../lib/index.js'
import { findingsOf } from '../../../lib/typeorm/node-check/findings.js'

const limits = { maxLagMs: 1000, maxClockOffsetMs: 500 }

const running: ReplicationFacts = {
  isRunning: true,
  lagMs: 0,
  why: undefined,
  source: 'br-1:3306',
  sourceIdentity: '1',
}

const primaryServer: ServerFacts = {
  version: '10.11.6',
  actualRole: 'primary',
  takesWrites: true,
  identity: '1',
  replication: undefined,
  clusteredBy: undefined,
  position: undefined,
  clockOffsetMs: 0,
  clockErrorMs: 1,
  timeZone: 'UTC',
  characterSet: 'utf8mb4',
  collation: 'utf8mb4_general_ci',
  isolation: 'REPEATABLE-READ',
}

const replicaServer: ServerFacts = {
  ...primaryServer,
  actualRole: 'replica',
  takesWrites: false,
  identity: '2',
  replication: running,
}

const node = (name: string, role: NodeFacts['role'], server: ServerFacts): NodeFacts => ({
  shard: 'brazil',
  node: name,
  role,
  engine: 'mysql',
  host: name,
  port: 3306,
  database: 'shop',
  isReachable: true,
  error: undefined,
  connectMs: 1,
  server,
})

/** What is found where a primary and a replica tell this. */
const found = (primary: Partial<ServerFacts>, replica: Partial<ServerFacts> = {}): string[] =>
  findingsOf(
    [
      node('br-1', 'primary', { ...primaryServer, ...primary }),
      node('br-2', 'replica', { ...replicaServer, ...replica }),
    ],
    limits,
  )
    .filter(({ level }) => level !== 'ok')
    .map((finding) => `${finding.node} ${finding.level} ${finding.kind}: ${finding.what}`)

const replication = (facts: Partial<ReplicationFacts>): Partial<ServerFacts> => ({
  replication: { ...running, ...facts },
})

describe('what is found out about servers', () => {
  for (const [title, primary, replica, expected] of [
    ['nothing where all is well', {}, {}, []],
    [
      'a lag that is too long',
      {},
      replication({ lagMs: 4000 }),
      ['br-2 error lag: is 4000 ms behind its primary, more than 1000 ms'],
    ],
    ['no lag that is allowed', {}, replication({ lagMs: 1000 }), []],
    [
      'a lag that is not known',
      {},
      replication({ lagMs: undefined, why: 'nothing was applied' }),
      ['br-2 warning lag: does not tell how far it is behind: nothing was applied'],
    ],
    [
      'a copy of another server',
      {},
      replication({ sourceIdentity: '9', source: 'ca-1:3306' }),
      [
        'br-2 error other-primary: copies another server (ca-1:3306) than its primary br-1 (br-1:3306)',
      ],
    ],
    [
      'a copy of another server by the identity that PostgreSQL’s copies share',
      { identity: '77' },
      { identity: '78', ...replication({ sourceIdentity: undefined, source: undefined }) },
      ['br-2 error other-primary: copies another server than its primary br-1 (br-1:3306)'],
    ],
    [
      'a copy of more than its primary has written',
      { identity: '77', position: '9007199254740993' },
      {
        identity: '77',
        position: '9007199254740994',
        ...replication({ sourceIdentity: undefined, source: undefined }),
      },
      ['br-2 error other-primary: copies another server than its primary br-1 (br-1:3306)'],
    ],
    [
      'a replica that follows nobody',
      {},
      { replication: undefined },
      ['br-2 error replication: takes no writes, and copies from no server'],
    ],
    [
      'a replica that takes writes',
      {},
      { takesWrites: true },
      ['br-2 warning read-only: is a replica, and takes writes'],
    ],
    ['no replica that a cluster keeps', {}, { clusteredBy: 'Aurora', replication: undefined }, []],
    [
      'no writable replica of a cluster in which all write',
      { clusteredBy: 'Galera' },
      {
        clusteredBy: 'Galera',
        replication: undefined,
        takesWrites: true,
        actualRole: 'primary' as const,
      },
      [],
    ],
    [
      'clocks that are apart, both ways',
      { clockOffsetMs: 700, clockErrorMs: 10 },
      { clockOffsetMs: -2000, clockErrorMs: 10 },
      [
        "br-1 warning clock: its clock is 700 ms ahead of this process's",
        "br-2 warning clock: its clock is 2000 ms behind this process's",
      ],
    ],
    [
      'no clock that may only seem apart, as the answer took long',
      { clockOffsetMs: 900, clockErrorMs: 600 },
      {},
      [],
    ],
    [
      'versions and settings that differ',
      {},
      { version: '10.6.1', timeZone: '+02:00', isolation: 'READ-COMMITTED' },
      [
        'br-2 warning version: has version 10.6.1, and its primary 10.11.6',
        "br-2 warning settings: its time zone is +02:00, and its primary's UTC",
        "br-2 warning settings: its default isolation level is READ-COMMITTED, and its primary's REPEATABLE-READ",
      ],
    ],
  ] as const)
    it(`is ${title}`, () => {
      expect(found(primary, replica)).to.deep.equal(expected)
    })

  it('is not a copy of another server where it copies a sibling', () => {
    const chained = node('br-3', 'replica', {
      ...replicaServer,
      identity: '3',
      ...replication({ sourceIdentity: '2', source: 'br-2:3306' }),
    })
    const findings = findingsOf(
      [node('br-1', 'primary', primaryServer), node('br-2', 'replica', replicaServer), chained],
      limits,
    )
    expect(findings.map(({ kind }) => kind)).to.deep.equal(['ok', 'ok', 'ok'])
  })

  it('names what each finding is about, and what to do', () => {
    const [finding] = findingsOf(
      [node('br-1', 'primary', { ...primaryServer, takesWrites: false, actualRole: 'replica' })],
      limits,
    )
    expect(finding).to.deep.include({ shard: 'brazil', node: 'br-1', role: 'primary' })
    expect(finding?.remedy).to.match(/read_only/)
  })
})
