import { expect } from 'chai'
import { type Row, row } from '../row.js'
import { expectOnBrazil } from './association-kind.js'
import { again, entityOn, expectRefusal } from './association-stage.js'
import { type Way, relatedPair, ways } from './association-ways.js'

/** The behaviour that reading a relation of a shape is. */
const numbers = {
  'one-to-one': 'A40',
  'one-to-many': 'A1',
  'many-to-many': 'A1',
  'many-to-one': 'A2',
} as const

const subjectOf = ({ shape, way }: Way): string =>
  ({
    lazy: `a lazy ${shape} relation`,
    eager: `an eager ${shape} relation`,
    relations: `a ${shape} relation that a find names`,
    builder: `a ${shape} relation in the hands of a relation builder`,
  })[way]

const selectOf = ({ name }: Way['Owner']): string => `select assoc_${name.toLowerCase()}`

/** Relations by the ways in which they are read, around no scope and in another one. */
const reads: readonly Row[] = ways.flatMap((way) => {
  const number = `${numbers[way.shape]} ${way.shape} ${way.way}`
  return [
    row(
      number,
      `${subjectOf(way)} is read from its owner’s shard where there is no scope`,
      { brazil: way.words, master: [selectOf(way.Owner)] },
      async (world) => {
        const { owner, other } = await relatedPair(world, way)
        expectOnBrazil(world, await way.read(world.db, owner), [other])
        expect(await world.db.manager.count(way.Owner)).to.equal(1)
      },
    ),
    row(
      `${number} in a scope`,
      `${subjectOf(way)} is read from its owner’s shard in the scope of another one`,
      { brazil: way.words, canada: [selectOf(way.Owner)] },
      async (world) => {
        const { owner, other } = await relatedPair(world, way)
        await world.db.using('canada', async () => {
          expectOnBrazil(world, await way.read(world.db, owner), [other])
          expect(await world.db.manager.count(way.Owner)).to.equal(1)
        })
      },
    ),
  ]
})

const refusals: readonly Row[] = ways.map((way) =>
  row(
    `A36 ${way.shape} ${way.way}`,
    `${subjectOf(way)} is not set to an entity of another shard, and nothing is sent`,
    { brazil: way.words, canada: [selectOf(way.Owner), selectOf(way.Other)] },
    async (world) => {
      const { db } = world
      const { owner, other } = await relatedPair(world, way)
      const foreign = await entityOn(world, 'canada', way.Other)
      for (const scope of ['master', 'brazil', 'canada']) {
        const loaded = await again(world, owner)
        const target = await world.aside(() => way.loaded(db, loaded))
        await expectRefusal(world, owner, foreign, () =>
          db.using(scope, () => way.relate(db, target, foreign)),
        )
      }
      expectOnBrazil(world, await way.read(db, await again(world, owner)), [other])
      const { manager } = db.shard('canada')
      expect(await manager.count(way.Owner)).to.equal(1)
      expect(await manager.existsBy(way.Other, { id: foreign.id })).to.equal(true)
    },
  ),
)

/** Octopus's association_shard_tracking_spec, over all shapes of relations and all ways to use them. */
export const associationMatrix: readonly Row[] = [...reads, ...refusals]
