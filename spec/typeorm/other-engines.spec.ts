import { expect } from 'chai'
import { DataSource, EntityManager } from 'typeorm'
import { UnknownShardError, octopus } from '../../lib/index.js'

describe('an engine that the library does not route', () => {
  // CockroachDB is spoken to through pg, which is installed; nothing here connects.
  const wrap = () => {
    const dataSource = new DataSource({ type: 'cockroachdb', host: '127.0.0.1', port: 1 } as never)
    return { dataSource, manager: dataSource.manager, db: octopus(dataSource) }
  }

  it('keeps everything of its DataSource', () => {
    const { dataSource, manager, db } = wrap()
    expect(db.manager).to.equal(manager)
    expect(Object.getPrototypeOf(db.manager)).to.equal(EntityManager.prototype)
    expect(db.createQueryRunner().constructor.name).to.equal('CockroachQueryRunner')
    expect(db.driver).to.equal(dataSource.driver)
    expect(db.shard('master')).to.equal(dataSource)
  })

  it('has the scope functions, with names checked', () => {
    const { db } = wrap()
    expect(db.using('master', () => db.octopus.currentShard())).to.equal('master')
    expect(() => db.using('brazil', () => 0)).to.throw(
      UnknownShardError,
      'configured shards: master',
    )
  })

  it('rejects a start that fails with the driver’s own error', async () => {
    const { db } = wrap()
    const error = await db.initialize().then(
      () => undefined,
      (reason: { code?: string }) => reason.code,
    )
    expect(error).to.equal('ECONNREFUSED')
  })
})
