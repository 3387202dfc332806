import { expect } from 'chai'
import { InvalidScopeError } from '../../../lib/index.js'
import { failureOf } from '../../typeorm/compat/support.js'
import { User } from '../entities/model.js'
import { type Row, row } from '../row.js'
import { expectUsers, insert, saveNew, select, user, usersOf, usersOn } from './model-stage.js'

/** Octopus's model_spec: shards chosen by blocks. */
export const modelScopes: readonly Row[] = [
  row(
    'M1',
    'a function that is given to a handle or a repository is an error that names `using`',
    { brazil: insert },
    async (world) => {
      const { db } = world
      const work = () => db.manager.insert(User, user('Ana'))
      // @ts-expect-error -- a handle takes the name alone
      expect(() => db.shard('brazil', work)).to.throw(InvalidScopeError, 'using')
      // @ts-expect-error -- a repository has no scopes
      expect(() => usersOf(db, 'brazil').using('brazil', work)).to.throw(TypeError, 'using')
      await db.using('brazil', work)
      await expectUsers(world, { brazil: ['Ana'] })
    },
  ),
  row(
    'M2',
    'a scope may name the default shard, and a handle of it finds what was saved there',
    { master: [...saveNew, ...select] },
    async (world) => {
      const { db } = world
      await db.using('brazil', () => db.using('master', () => db.manager.save(user('Block test'))))
      const found = await usersOf(db, 'master').findOneByOrFail({ name: 'Block test' })
      expect(db.octopus.shardOf(found)).to.equal('master')
      await expectUsers(world, { master: ['Block test'] })
    },
  ),
  row(
    'M6',
    'a scope takes the shard’s name, and a handle of that name finds what was saved in it',
    { canada: [...saveNew, ...select] },
    async (world) => {
      const { db } = world
      await db.using('canada', () => db.manager.save(user('Rafael')))
      expect(await usersOf(db, 'canada').existsBy({ name: 'Rafael' })).to.equal(true)
      await expectUsers(world, { canada: ['Rafael'] })
    },
  ),
  row('M9', 'some fields are selected in a scope', { canada: select }, async (world) => {
    const { db } = world
    await usersOn(world, 'canada', 'Ana')
    await usersOn(world, 'master', 'Bo')
    const found = await db.using('canada', () =>
      db.getRepository(User).find({ select: { id: true, name: true } }),
    )
    expect(found).to.deep.equal([Object.assign(new User(), { id: 1, name: 'Ana' })])
  }),
  row(
    'M10',
    'a builder made in a scope is of its shard, in a later scope of that shard and elsewhere',
    { canada: [...select, ...select, ...select] },
    async (world) => {
      const { db } = world
      await usersOn(world, 'canada', 'Ana')
      await usersOn(world, 'master', 'Bo')
      await usersOn(world, 'brazil', 'Cy')
      const query = db.using('canada', () => db.createQueryBuilder(User, 'u').where('u.id = 1'))
      for (const shard of ['canada', 'brazil'])
        expect((await db.using(shard, () => query.getMany())).map(({ name }) => name)).to.eql([
          'Ana',
        ])
      expect(await query.getOneOrFail()).to.include({ name: 'Ana' })
    },
  ),
  row(
    'M14',
    'after a scope that throws, rejects or is given up, work goes where it went before',
    { master: Array<string>(3).fill('insert model_user'), canada: select },
    async (world) => {
      const { db } = world
      const after = async (name: string): Promise<void> => {
        expect(db.octopus.currentShard()).to.equal('master')
        await db.manager.insert(User, user(name))
      }
      const failing = (): never => {
        throw new Error('Some exception')
      }
      expect(() => db.using('canada', failing)).to.throw('Some exception')
      await after('thrown')
      const rejected = await failureOf(() => db.using('canada', async () => failing()))
      expect(rejected).to.have.property('message', 'Some exception')
      await after('rejected')

      let resume = (): void => {}
      const late = new Promise<void>((resolve) => {
        resume = resolve
      })
      const slow = db.using('canada', async () => {
        await late
        return db.manager.count(User)
      })
      const timeout = Promise.reject(new Error('Too late'))
      const givenUp = await failureOf(() => Promise.race([slow, timeout]))
      expect(givenUp).to.have.property('message', 'Too late')
      await after('given up')
      resume()
      expect(await slow, 'what was given up stays in its scope').to.equal(0)
      await expectUsers(world, { master: ['thrown', 'rejected', 'given up'] })
    },
  ),
  row(
    'M15',
    'the same where the default shard is another one',
    { russia: insert, canada: [...insert, ...select] },
    async (world) => {
      const db = await world.wrap({ defaultShard: 'russia' })
      const error = await failureOf(() =>
        db.using('canada', async () => {
          await db.manager.insert(User, user('Ana'))
          throw new Error(`after ${await db.manager.count(User)}`)
        }),
      )
      expect(error).to.have.property('message', 'after 1')
      expect(db.octopus.currentShard()).to.equal('russia')
      await db.manager.insert(User, user('Bo'))
      await expectUsers(world, { canada: ['Ana'], russia: ['Bo'] })
    },
  ),
  row(
    'M20',
    'of scopes in each other the innermost counts, and a handle in them counts more',
    { canada: [...saveNew, ...select], master: [...select, ...select] },
    async (world) => {
      const { db } = world
      const users = db.getRepository(User)
      const nested = <T>(shards: readonly string[], work: () => T): T => {
        const [first, ...others] = shards
        return first === undefined ? work() : db.using(first, () => nested(others, work))
      }
      await nested(['canada', 'master', 'canada'], () => users.save(user('Ana')))
      expect(await nested(['canada', 'master'], () => users.count())).to.equal(0)
      expect(await nested(['master', 'canada'], () => users.count())).to.equal(1)
      const counted = await nested(['master', 'canada'], () => usersOf(db, 'master').count())
      expect(counted).to.equal(0)
      await expectUsers(world, { canada: ['Ana'] })
    },
  ),
  row(
    'M22',
    'after a scope that saved, a count is of the default shard',
    { canada: saveNew, master: select },
    async (world) => {
      const { db } = world
      await db.using('canada', () => db.manager.save(user('Ana')))
      expect(await db.manager.count(User)).to.equal(0)
      await expectUsers(world, { canada: ['Ana'] })
    },
  ),
  row(
    'M30',
    'what a scope saves is on its shard only',
    { canada: [...saveNew, ...select], master: [...select, ...select] },
    async (world) => {
      const { db } = world
      await db.using('canada', async () => {
        await db.manager.save(user('Ana'))
      })
      expect(await usersOf(db, 'canada').count()).to.equal(1)
      expect(await usersOf(db, 'master').count()).to.equal(0)
      expect(await db.manager.count(User)).to.equal(0)
      await expectUsers(world, { canada: ['Ana'] })
    },
  ),
]
