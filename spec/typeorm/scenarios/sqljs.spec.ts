import { onSqljs } from './plans.js'
import { describeScenarios } from './scenario.js'
import { themes } from './themes.js'

describeScenarios('TypeORM on sql.js', onSqljs, themes)
