import { onServers } from './plans.js'
import { describeScenarios } from './scenario.js'
import { themes } from './themes.js'

describeScenarios('TypeORM on PostgreSQL', onServers('postgres'), themes)
