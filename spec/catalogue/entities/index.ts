import { entities as people } from './people.js'
import { entities as associations } from './associations.js'
import { entities as model } from './model.js'
import { entities as replication } from './replication.js'

/** The entities of all rows. */
export const entities = [...people, ...model, ...associations, ...replication]
