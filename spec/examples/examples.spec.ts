import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { type ProgramRun, runExample, withoutTimes } from './run-example.js'

const endsWell = ({ errors, exitCode }: ProgramRun): void => {
  expect(errors).to.equal('')
  expect(exitCode).to.equal(0)
}

/** The lines from one that begins with `start` to the next empty one. */
const section = (lines: readonly string[], start: string): string[] => {
  const from = lines.findIndex((line) => line.startsWith(start))
  expect(from, start).to.be.at.least(0)
  const end = lines.indexOf('', from)
  return withoutTimes(lines.slice(from + 1, end === -1 ? undefined : end)).map((l) => l.trim())
}

const read = 'read outside a transaction'

describe('the examples', function () {
  // Each starts a process, and one of them three database servers too.
  this.timeout(60_000)

  it('quickstart goes where it says, and leaves nothing behind', async () => {
    const temporary = mkdtempSync(path.join(tmpdir(), 'octopus-examples-'))
    const run = await runExample('quickstart', { TMPDIR: temporary })
    const left = readdirSync(temporary)
    rmSync(temporary, { recursive: true })
    endsWell(run)
    expect(left).to.deep.equal([])

    const step = (number: number): string[] => section(run.lines, `${number}. `)
    expect(step(1)).to.deep.equal([
      '[brazil/primary br-1]  INSERT Customer — write',
      '[brazil/primary br-1]  SELECT Customer — read your writes',
      '2 customers: in this scope brazil was just written, so its primary was read.',
    ])
    // Where the rotation begins is random.
    expect(step(2).sort()).to.deep.equal([
      `[brazil/replica br-2]  SELECT Customer — ${read}`,
      `[brazil/replica br-3]  SELECT Customer — ${read}`,
    ])
    expect(step(3)).to.deep.equal(['[canada/primary ca-1]  INSERT Customer — write'])
    expect(step(4)).to.deep.equal([
      '[brazil/primary br-1]  SELECT Customer — write',
      '[brazil/primary br-1]  BEGIN Customer — write (in transaction)',
      '[brazil/primary br-1]  UPDATE Customer — write (in transaction)',
      '[brazil/primary br-1]  COMMIT Customer — write (in transaction)',
    ])
    expect(step(5)).to.deep.equal([
      '[brazil/primary br-1]  BEGIN — transaction (in transaction)',
      '[brazil/primary br-1]  UPDATE — transaction (in transaction)',
      '[brazil/primary br-1]  UPDATE — transaction (in transaction)',
      '[brazil/primary br-1]  COMMIT — transaction (in transaction)',
    ])
    const group = step(6)
    expect(group.slice(0, 2).map((line) => line.replace(/br-[23]/, 'br-2|3'))).to.have.members([
      `[brazil/replica br-2|3]  SELECT Customer — ${read}`,
      '[canada/primary ca-1]  SELECT Customer — no replicas',
    ])
    expect(group[2]).to.equal('brazil: 2, canada: 1')
    expect(step(7)).to.deep.equal([
      'UnknownShardError: Unknown shard "brasil"; configured shards: master, brazil, canada.',
    ])
  })

  it('repositories run on their shards', async () => {
    const run = await runExample('repositories')
    endsWell(run)
    expect(run.lines).to.deep.equal([
      'brazil has 2 users, canada 1',
      'Ana is at home on brazil',
      'BrazilUsers counts 2, without a scope',
      "BrazilUsers.named('Ana') has coffee and honey",
      'in a scope: Claire',
      'on a handle: 1',
      'in a transaction on brazil: Ana, Bento',
    ])
  })

  it('homes keeps entities where they come from', async () => {
    const run = await runExample('homes')
    endsWell(run)
    const of = (lines: readonly string[], word: string): number =>
      lines.filter((line) => line.includes(word)).length
    expect(of(run.lines, 'brazil (home)')).to.equal(5)
    expect(of(run.lines, 'CrossShardError')).to.equal(3)
    expect(run.lines).to.include.members([
      '   find by its bare id: master (default)',
      '   Ana and Ana, loaded again: true',
      '   Ana and Claire: false',
      '   in a scope of brazil: master (unsharded)',
      '   Ana is from Brazil',
      '   Ana, read in a scope of canada',
    ])
  })

  it('replication reads from replicas, writes on the primary, and reads its own writes', async () => {
    const run = await runExample('replication')
    endsWell(run)
    const step = (number: number): string[] =>
      section(run.lines, `${number}. `).map((line) =>
        line.replace('primary 127.0.0.1', 'primary').replace(/\] +/, '] '),
      )
    const reads = step(1).slice(0, 4)
    const [one, two, three, four] = reads
    expect([one, two]).to.have.members([
      `[master/replica first] SELECT Post — ${read}`,
      `[master/replica second] SELECT Post — ${read}`,
    ])
    expect([three, four]).to.have.members([one, two])
    expect(step(1).slice(4)).to.deep.equal([
      '[master/primary] INSERT Post — write',
      '[master/primary] SELECT — raw query',
    ])
    expect(step(2)).to.include('outside a scope, at once: 2 posts (one is missing)')
    expect(step(3).filter((line) => !line.includes('replica'))).to.deep.equal([
      'before a write: 2 posts',
      '[master/primary] INSERT Post — write',
      '[master/primary] SELECT Post — read your writes',
      'after a write: 4 posts',
    ])
    expect(step(4)).to.deep.equal(['[master/primary] SELECT Post — pinned to primary', '4 posts'])
    expect(step(5)).to.deep.equal([
      '[master/replica second] SELECT Post — pinned to replica',
      '[master/replica second] SELECT — pinned to replica',
      '[master/replica second] START — pinned to replica (in transaction)',
      '[master/replica second] SELECT — pinned to replica (in transaction)',
      '[master/replica second] COMMIT — pinned to replica (in transaction)',
    ])
    expect(step(6)[0]).to.match(/^ReadOnlyScopeError: insert inside usingReplica/)
  })

  it('connections survives a replica, a demotion and a statement without an answer', async () => {
    const run = await runExample('connections')
    endsWell({ ...run, errors: '' })
    const step = (number: number): string[] => section(run.lines, `${number}. `)
    expect(step(1)).to.deep.equal(['4 reads, out of service: s0r1'])
    expect(step(2)).to.deep.equal(['out of service: none'])
    expect(step(3)).to.deep.equal([
      'QueryFailedError: true, at: query, says: read-only, retryable: true',
      '2 posts',
    ])
    expect(step(4)).to.deep.equal(['QueryTimeoutError'])
    expect(step(5)).to.deep.equal(['none of its connections is left'])
    expect(step(6)).to.include('primary: ok')
  })

  it('express serves two overlapping requests, each from its own shard', async () => {
    const run = await runExample('express')
    endsWell(run)
    expect(run.lines).to.deep.equal([
      'acme: 200 {"shard":"acme","texts":["from Acme"]}',
      'globex: 200 {"shard":"globex","texts":["from Globex"]}',
      'initech: 404 {"error":"No such tenant."}',
    ])
  })

  it('requests lets another process read what a client has just written', async () => {
    const run = await runExample('requests')
    endsWell(run)
    expect(section(run.lines, '1. ')).to.deep.equal([
      'without the cookie: 404 no such note',
      'with the cookie:    200 from a form',
    ])
    expect(section(run.lines, '2. ')).to.deep.equal(['mailed: to be mailed'])
    expect(section(run.lines, '3. ')).to.deep.equal([
      '404 no such note',
      'WritesTokenError: forged',
    ])
  })

  it('inspector serves its page and the routes that are kept', async () => {
    const run = await runExample('inspector', { CI: '1' })
    endsWell(run)
    expect(run.lines[0]).to.match(/^The inspector is at http:\/\/127\.0\.0\.1:\d+\/$/)
    expect(run.lines.slice(1)).to.deep.equal([
      'the page: 200 text/html; charset=utf-8',
      'brazil: write',
      'brazil: read your writes',
      'brazil: read your writes',
      `canada: ${read}`,
      'brazil: pinned to replica',
      'canada: raw query (failed)',
    ])
  })

  it('trace tells where statements went, and why', async () => {
    const run = await runExample('trace')
    endsWell(run)
    const step = (number: number): string[] => section(run.lines, `${number}. `)
    expect(step(1)).to.deep.equal([
      '[brazil/primary primary]   INSERT Invoice — write',
      `[brazil/replica primary]   SELECT Invoice — ${read}`,
    ])
    const [event, sql] = step(2)
    expect(event).to.equal(
      'select on brazil, primary, because "pinned to primary", in [using brazil > usingPrimary]',
    )
    expect(sql).to.match(/^SELECT .* FROM "invoice"/)
    const [total, first, ...others] = step(3)
    expect([total, first]).to.deep.equal(['2 invoices, by 4 statements:', 'INSERT canada/primary'])
    expect(others).to.have.members([
      'SELECT master/primary',
      'SELECT brazil/replica',
      'SELECT canada/primary',
    ])
    expect(step(4).map((line) => line.replaceAll(/\d+ ms/g, '… ms'))).to.deep.equal([
      'find Invoice → master/primary (primary): no replicas; shard by default.',
      `find Invoice → brazil/replica (primary): ${read}; shard by scope.`,
      'save Invoice → brazil/primary (primary): write; shard by scope.',
      'using brazil',
      'read your writes',
      'brazil/replica if brazil had not been written … ms ago in this scope; it counts for … ms more',
      'brazil/replica if it were inside usingReplica',
      'master/primary if it were inside using("master", …)',
      'canada/primary if it were inside using("canada", …)',
      'select Invoice → brazil/primary (primary): lock; shard by scope.',
      'rules asked before that one: disabled, write',
    ])
    expect(step(5)).to.deep.equal(['SELECT canada/primary, took less than 1 s'])
  })

  it('cli asks the shards from a shell', async () => {
    const run = await runExample('cli')
    endsWell(run)
    const said = (start: string): string[] => section(run.lines, `$ octopus ${start}`)
    expect(said('check').slice(-2)).to.deep.equal([
      '3 servers, 0 errors, 0 warnings',
      '(exit code 0)',
    ])
    expect(said('topology').slice(-2)).to.deep.equal([
      'group americas: brazil, canada',
      '(exit code 0)',
    ])
    expect(said('explain')[0]).to.include('save Parcel → brazil/primary (brazil.sqlite): write')
    expect(said('query --group').filter((line) => !line.startsWith('├'))).to.deep.equal([
      'brazil (primary brazil.sqlite): 2 rows',
      '┌────┬───────┐',
      '│ id │ to    │',
      '│  1 │ Ana   │',
      '│  2 │ Bento │',
      '└────┴───────┘',
      'canada (primary canada.sqlite): 1 row',
      '┌────┬────────┐',
      '│ id │ to     │',
      '│  1 │ Claire │',
      '└────┴────────┘',
      '(exit code 0)',
    ])
    expect(said('query --shard')).to.deep.equal([
      'error: The statement is not known to only read: add --write to run it on the primaries.',
      '(exit code 2)',
    ])
  })

  it('telemetry shows spans in their requests, and what Prometheus reads', async () => {
    const run = await runExample('telemetry')
    endsWell(run)
    const spans = section(run.lines, '1. ')
    expect(spans.slice(0, 4)).to.deep.equal([
      'POST /invoices',
      'INSERT invoice on brazil/primary: write',
      'SELECT invoice on brazil/primary: read your writes',
      'GET /report',
    ])
    expect(spans.slice(4)).to.have.members([
      'SELECT invoice on master/primary: no replicas',
      `SELECT invoice on brazil/replica: ${read}`,
      'SELECT invoice on canada/primary: no replicas',
    ])
    const metrics = section(run.lines, '2. ')
    expect(metrics).to.have.length(5)
    expect(metrics[0]).to.equal(
      'octopus_statements_total{db="default",shard="brazil",role="primary",node="primary",reason="write",kind="statement",result="ok"} 1',
    )
  })

  it('debugging finds what each of its puzzles is about', async () => {
    const run = await runExample('debugging')
    endsWell({ ...run, errors: '' })
    const step = (number: number): string[] => section(run.lines, `${number}. `)
    expect(step(1)[0]).to.include('find Order → brazil/primary (127.0.0.1): read your writes')
    expect(step(1)[1]).to.match(
      /^would go to brazil\/replica if brazil had not been written \d+ ms/,
    )
    expect(step(2)[0]).to.equal('brazil/primary 127.0.0.1  SELECT    raw query, handle')
    expect(step(2)[1]).to.match(/^s1r1 answered; skipped: s1r2, connect ECONNREFUSED/)
    expect(step(3)).to.deep.equal([
      'master/primary 127.0.0.1  SELECT  Order  no replicas, default',
      'brazil/primary 127.0.0.1  SELECT  Order  write, home',
      'brazil/primary 127.0.0.1  START  Order  write, home',
      'brazil/primary 127.0.0.1  UPDATE  Order  write, home',
      'brazil/primary 127.0.0.1  COMMIT  Order  write, home',
    ])
    expect(step(4)).to.deep.equal([
      'AcquireTimeoutError: {"max":1,"active":1,"idle":0,"waiting":1}',
      'connections that this scope holds itself: 1',
      'SELECT waited for a connection none of its time',
      'SELECT waited for a connection most of its time',
    ])
    const comment = (reason: string): string =>
      `/*reason='${reason}',role='primary',shard='brazil'*/`
    expect(step(5)).to.deep.equal([
      `in the log: INSERT INTO \`order\`(… ${comment('write')}`,
      'as traced:  statement, insert Order',
      `in the log: SHOW STATUS LIKE "Th… ${comment('query runner')}`,
      'as traced:  bypass, createQueryRunner',
    ])
  })

  it('migrations run where they say, go on after a failure, and move rows between shards', async () => {
    const run = await runExample('migrations')
    endsWell(run)
    const step = (number: number): string[] => section(run.lines, `${number}. `)
    expect(step(1)).to.deep.equal([
      'AddCustomers1700000000001 → master, canada, brazil, spain',
      'AddOrders1700000000002 → canada, brazil',
      'MoveCanadians1700000000003 → brazil',
      '7 pending',
    ])
    expect(step(2)).to.deep.equal([
      'spain is done: go on',
      'canada: table items already exists',
      'master: done, 1 done, 0 left',
      'canada: failed, 1 done, 1 left',
      'brazil: done, 3 done, 0 left',
      'spain: done, 1 done, 0 left',
    ])
    expect(step(3)).to.deep.equal([
      'master: up to date, 0 done, 0 left',
      'canada: done, 1 done, 0 left',
      'brazil: up to date, 0 done, 0 left',
      'spain: up to date, 0 done, 0 left',
    ])
    expect(step(4)).to.deep.equal(['canada: Zoe', 'brazil: Ana'])
    expect(step(5)).to.deep.equal(['brazil: done, 1 done, 0 left', 'MoveCanadians1700000000003'])
    expect(step(6)).to.include('brazil: up to date, 3 done, the last MoveCanadians1700000000003')
  })

  it('schema finds what drifted, and makes shards that are as the others', async () => {
    const run = await runExample('schema')
    endsWell(run)
    const step = (number: number): string[] => section(run.lines, `${number}. `)
    expect(step(1)).to.deep.equal([
      'brazil: reference',
      'canada: different',
      'column price of product is not in the reference: INT',
      'index product_by_name of product is missing: btree (name)',
      'chile: same',
    ])
    expect(step(2)).to.deep.equal(['refused on canada: DROP TABLE "product"'])
    expect(step(3)).to.deep.equal(['same: true'])
    expect(step(4)).to.deep.equal(['peru: product, as brazil', 'bolivia: product, as brazil'])
    expect(step(5)).to.deep.equal(['peru: Coffee of peru', 'bolivia: Coffee of bolivia'])
  })
})
