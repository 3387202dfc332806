import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { DataSource } from 'typeorm'
import { type ConnectionProxy, type OctopusOptions, octopus } from '../../../lib/index.js'

const found = async (db: ConnectionProxy): Promise<string[]> => {
  const { findings } = await db.octopus.checkNodes()
  return findings.map(({ shard, level, kind, what }) => `${shard} ${level} ${kind}: ${what}`)
}

describe('checkNodes where there is no server', () => {
  let folder: string

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'octopus-check-'))
    writeFileSync(path.join(folder, 'there.sqlite'), '')
  })
  after(() => rmSync(folder, { recursive: true }))

  const wrap = (options: OctopusOptions = {}): ConnectionProxy =>
    octopus(new DataSource({ type: 'sqljs' }), {
      shards: {
        there: { location: path.join(folder, 'there.sqlite') },
        missing: { location: path.join(folder, 'missing.sqlite') },
      },
      ...options,
    })

  it('looks for the files of SQLite, and makes none', async () => {
    const expected = [
      'master ok ok: memory',
      `there ok ok: ${folder}/there.sqlite`,
      `missing warning unreachable: ${folder}/missing.sqlite: there is no such file yet`,
    ]
    expect(await found(wrap())).to.deep.equal(expected)
    expect(await found(wrap())).to.deep.equal(expected)
  })

  it('looks only at the default shard while octopus is disabled', async () => {
    const warned = new Promise((resolve) => process.once('warning', resolve))
    expect(await found(wrap({ enabled: false }))).to.deep.equal(['master ok ok: memory'])
    await warned
  })

  it('asks no engine that it does not know', async () => {
    // CockroachDB is spoken to through pg, which is installed; nothing here connects.
    const other = new DataSource({ type: 'cockroachdb', host: '127.0.0.1', port: 1 } as never)
    expect(await found(octopus(other))).to.deep.equal([
      'master warning unasked: its engine, cockroachdb, is none that this library knows',
    ])
  })

  it('refuses to ask no shard at a time', async () => {
    const error: unknown = await wrap()
      .octopus.checkNodes({ concurrency: 0 })
      .catch((reason: unknown) => reason)
    expect(error).to.have.property('code', 'invalid-scope')
  })
})
