import { onMixedEngines } from './plans.js'
import { describeScenarios } from './scenario.js'
import { themes } from './themes.js'

describeScenarios(
  'TypeORM on a default shard on MariaDB with shards on sql.js and PostgreSQL',
  onMixedEngines,
  themes,
)
