import { initializeTransactionalContext, type StorageDriver } from 'typeorm-transactional'
import { onServers, onSqljs } from '../../scenarios/plans.js'
import { describeScenarios } from '../../scenarios/scenario.js'
import { themes as ordinary } from '../../scenarios/themes.js'
import { entityRules } from './entities.js'
import { handles } from './handles.js'
import { members } from './members.js'
import { propagation } from './propagation.js'
import { shards } from './shards.js'
import { join } from './support.js'

// It patches TypeORM's own classes: the repositories of the whole process.
initializeTransactionalContext({
  storageDriver: process.env['STORAGE'] as StorageDriver,
})

const engine = process.env['ENGINE']
const plan = engine === 'mariadb' || engine === 'postgres' ? onServers(engine) : onSqljs

describeScenarios(`typeorm-transactional on ${engine}`, plan, {
  propagation,
  'what joins': members,
  'shards and replicas': shards,
  'handles, and data sources by name': handles,
  'entities and their homes': entityRules,
})

/** The scenarios that know nothing of it, on a data source that it has patched. One of them looks at
 *  the data source's own functions, in whose place are those of the package. */
const { 'identity and concurrency': _, ...unpatched } = ordinary
const patched = Object.fromEntries(
  Object.entries(unpatched).map(([theme, scenarios]) => [
    theme,
    scenarios.map(({ run, ...rest }) => ({
      ...rest,
      run: (bed: Parameters<typeof run>[0]) => {
        join(bed)
        return run(bed)
      },
    })),
  ]),
)

describeScenarios(`outside transactions of typeorm-transactional on ${engine}`, plan, patched)
