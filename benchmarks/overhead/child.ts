import 'reflect-metadata'
import { answer } from '../support/child.js'
import { type Plan, measure } from './rounds.js'
import type { Servers } from './servers.js'
import { type Context, variantsOf } from './variants.js'

/** What one measuring process is told. */
export interface Task {
  readonly context: Context
  readonly servers: Servers
  readonly plan: Plan
}

const { context, servers, plan } = JSON.parse(process.argv[2] ?? '{}') as Task
answer(await measure(context, await variantsOf(context, servers), plan))
