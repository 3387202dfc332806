import { until } from '../support/until.js'
import { configuration } from './configuration.js'
import { migrations } from './migrations.js'
import { outages } from './outages.js'
import { replicaScopes } from './replica-scopes.js'
import { rotation } from './rotation.js'
import { severalShards } from './several-shards.js'
import { Stage } from './stage.js'
import { statements } from './statements.js'
import { transactions } from './transactions.js'

// The numbers are those under which Octopus's own behaviour was measured.
for (const engine of ['mariadb', 'postgres'] as const)
  describe(`What went wrong in Octopus is right on ${engine}`, function () {
    this.timeout(20_000)
    let started: Stage | undefined
    const stage = (): Stage => {
      if (started === undefined) throw new Error('The stage has not started.')
      return started
    }

    before(async function () {
      this.timeout(60_000)
      started = await Stage.start(engine)
    })
    beforeEach(() => stage().reset())
    afterEach('no connection is left out', async () => {
      const out = () =>
        stage()
          .db.octopus.pools()
          .filter(({ active }) => active > 0)
      await until(() => out().length === 0, { what: 'all leases to be given back' })
    })
    after(() => started?.stop())

    describe('scopes of replicas', () => replicaScopes(stage))
    describe('transactions', () => transactions(stage))
    describe('statements', () => statements(stage, engine))
    describe('the choice of a replica', () => rotation(stage))
    describe('work on several shards', () => severalShards(stage))
    describe('servers that are gone', () => outages(stage))
    describe('migrations', () => migrations(stage))
    describe('names', () => configuration(stage))
  })
