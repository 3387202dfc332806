import { expect } from 'chai'
import { runMocha } from '../../support/child-mocha.js'

const registration = new URL('./typeorm-transactional/registration.suite.js', import.meta.url)
const onEngine = new URL('./typeorm-transactional/on-engine.suite.js', import.meta.url)

/** Each in a process of its own, with its least number of specs: the package patches TypeORM's classes
 *  for good. */
const runs = {
  'joins, whenever it is given to the package': [registration, {}, 7],
  'begins on the shard of the scope, on MariaDB': [
    onEngine,
    { ENGINE: 'mariadb', STORAGE: 'AUTO' },
    140,
  ],
  'does so with cls-hooked as its storage': [
    onEngine,
    { ENGINE: 'mariadb', STORAGE: 'CLS_HOOKED' },
    140,
  ],
  'does so on PostgreSQL': [onEngine, { ENGINE: 'postgres', STORAGE: 'AUTO' }, 140],
  'does so on sql.js': [onEngine, { ENGINE: 'sqljs', STORAGE: 'AUTO' }, 110],
} as const

describe('typeorm-transactional over a wrapped data source', () => {
  for (const [behaviour, [suite, env, atLeast]] of Object.entries(runs))
    it(behaviour, async function () {
      this.timeout(120_000)
      const { passes, failures, output } = await runMocha(suite, { env })
      expect(failures).to.deep.equal([])
      expect(passes, output).to.be.at.least(atLeast)
    })
})
