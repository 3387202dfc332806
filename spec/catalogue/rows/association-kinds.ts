import { manyToMany } from './association-many-to-many.js'
import { oneToMany } from './association-one-to-many.js'
import { polymorphic } from './association-polymorphic.js'
import { through } from './association-through.js'

export { manyToMany, oneToMany, polymorphic, through }
export const allKinds = [manyToMany, through, oneToMany, polymorphic] as const
