import { expect } from 'chai'
import { DataSource } from 'typeorm'
import { type ConnectionProxy, octopus } from '../../lib/index.js'

const secret = 's3cr3t-in-the-configuration'

const wrapped = (): ConnectionProxy =>
  octopus(
    new DataSource({
      type: 'mysql',
      url: `mysql://app:${secret}@main.example:3307/shop`,
      extra: { password: secret },
    }),
    {
      defaultShard: 'home',
      replicas: [{ name: 'copy', host: 'copy.example', weight: 2 }],
      shards: {
        brazil: {
          host: 'br-1',
          password: secret,
          replicas: [
            { host: 'br-2', group: 'reports' },
            { socketPath: '/run/mysqld.sock', name: 'br-3' },
          ],
          reads: 'primary',
          onNoReplica: 'error',
        },
        archive: { type: 'sqljs', location: 'archive.sqlite' },
        memory: { type: 'sqljs' },
      },
      groups: { americas: ['brazil'], all: ['home', 'brazil'] },
    },
  )

describe('the description of a topology', () => {
  it('tells shards, groups and servers', () => {
    const described = wrapped().octopus.topology()
    const { defaultShard, isEnabled, collapsesReplicas, groups, revision, shards } = described
    expect({ defaultShard, isEnabled, collapsesReplicas, groups, revision }).to.deep.equal({
      defaultShard: 'home',
      isEnabled: true,
      collapsesReplicas: false,
      groups: { americas: ['brazil'], all: ['home', 'brazil'] },
      revision: 0,
    })
    expect(shards.map(({ name, isDefault, engine }) => [name, isDefault, engine])).to.deep.equal([
      ['home', true, 'mysql'],
      ['brazil', false, 'mysql'],
      ['archive', false, 'sqljs'],
      ['memory', false, 'sqljs'],
    ])
    expect(shards[1]).to.deep.include({
      groups: ['americas', 'all'],
      reads: 'primary',
      onNoReplica: 'error',
      replicaGroups: ['reports'],
    })
  })

  it('tells where each server is', () => {
    const { shards } = wrapped().octopus.topology()
    const places = shards.flatMap(({ name, nodes }) =>
      nodes.map(({ node, role, group, weight, host, port, database }) => [
        `${name}/${role} ${node}`,
        group,
        weight,
        host,
        port,
        database,
      ]),
    )
    expect(places).to.deep.equal([
      ['home/primary primary', undefined, 1, 'main.example', 3307, 'shop'],
      ['home/replica copy', undefined, 2, 'copy.example', 3306, 'shop'],
      ['brazil/primary br-1', undefined, 1, 'br-1', 3306, 'shop'],
      ['brazil/replica br-2', 'reports', 1, 'br-2', 3306, 'shop'],
      ['brazil/replica br-3', undefined, 1, '/run/mysqld.sock', undefined, 'shop'],
      ['archive/primary archive.sqlite', undefined, 1, undefined, undefined, 'archive.sqlite'],
      ['memory/primary primary', undefined, 1, undefined, undefined, undefined],
    ])
  })

  it('has no credentials, and nothing that can be changed', () => {
    const described = wrapped().octopus.topology()
    expect(JSON.stringify(described)).not.to.include(secret)
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen))
    expect(frozen(described)).to.equal(true)
  })

  it('follows what changes', async () => {
    const db = wrapped()
    const before = db.octopus.topology()
    await db.octopus.updateNode('brazil', 'br-1', { host: 'br-9' })
    await db.octopus.removeReplica('brazil', 'br-2')
    const { revision, shards } = db.octopus.topology()
    expect(revision).to.equal(2)
    expect(shards[1]?.nodes.map(({ node, host }) => [node, host])).to.deep.equal([
      ['br-1', 'br-9'],
      ['br-3', '/run/mysqld.sock'],
    ])
    expect(before.shards[1]?.nodes).to.have.lengthOf(3)
  })
})
