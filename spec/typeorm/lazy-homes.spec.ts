import { expect } from 'chai'
import { Column, DataSource, Entity, ManyToOne, OneToMany, PrimaryGeneratedColumn } from 'typeorm'
import { type ConnectionProxy, CrossShardError, octopus } from '../../lib/index.js'
import { failureOf } from './compat/support.js'

@Entity()
class Club {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @OneToMany('Player', 'club', { cascade: true }) players?: Player[]
}

@Entity()
class Team {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @OneToMany('Player', 'team', { lazy: true, cascade: true }) players!: Promise<Player[]>
}

@Entity()
class Player {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @ManyToOne(() => Club, (club) => club.players) club?: Club
  @ManyToOne(() => Team, (team) => team.players, { lazy: true }) team!: Promise<Team>
}

const named = <E extends object>(entity: new () => E, fields: Partial<E>): E =>
  Object.assign(new entity(), { name: entity.name, ...fields })

describe('a lazy relation that was just set', () => {
  let db: ConnectionProxy

  before(async () => {
    const own = { synchronize: true }
    db = octopus(new DataSource({ type: 'sqljs', entities: [Club, Team, Player], ...own }), {
      shards: { brazil: own, canada: own },
    })
    await db.initialize()
  })
  after(() => db.destroy())

  const savedOn = <E extends object>(shard: string, entity: E): Promise<E> =>
    db.using(shard, () => db.manager.save(entity))
  /** Where statements of `work` went, and why. */
  const routes = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const { events } = await db.octopus.withTrace(work)
    return [...new Set(events.map(({ shard, shardReason }) => `${shard} ${shardReason}`))]
  }
  const refused = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const { value, events } = await db.octopus.withTrace(() => failureOf(work))
    const statements = events.map(({ statement }) => statement)
    expect(statements.filter((word) => !/^(BEGIN|ROLLBACK)$/.test(word))).to.deep.equal([])
    expect(value).to.be.instanceOf(CrossShardError)
    return (value as CrossShardError).shards
  }

  it('takes what has no home yet to the home of its value', async () => {
    const team = await savedOn('brazil', named(Team, {}))
    const player = () => named(Player, { team: Promise.resolve(team) })
    expect(await routes(() => db.manager.save(player()))).to.deep.equal(['brazil home'])
    expect(await routes(() => db.manager.save([named(Player, {}), player()]))).to.deep.equal([
      'brazil home',
    ])
    expect(await routes(() => db.manager.insert(Player, player()))).to.deep.equal(['brazil home'])
  })

  it('gives a home to what is saved through it', async () => {
    const team = await savedOn('brazil', named(Team, {}))
    const player = named(Player, {})
    await db.manager.save(Object.assign(team, { players: Promise.resolve([player]) }))
    expect(db.octopus.shardOf(player)).to.equal('brazil')
  })

  it('is the value itself in a literal, which goes there too', async () => {
    const team = await savedOn('canada', named(Team, {}))
    const literal = { name: 'x', team } as object
    expect(await routes(() => db.manager.insert(Player, literal))).to.deep.equal(['canada home'])
    expect(await routes(() => db.manager.update(Player, { id: 1 }, literal))).to.deep.equal([
      'canada home',
    ])
  })

  it('is refused with an entity of another shard, also on what a cascade reaches', async () => {
    const team = await savedOn('canada', named(Team, {}))
    const club = await savedOn('brazil', named(Club, {}))
    const players = () => [named(Player, { team: Promise.resolve(team) })]
    const save = () => db.manager.save(Object.assign(club, { players: players() }))
    expect(await refused(save)).to.deep.equal(['brazil', 'canada'])
  })

  it('is refused with one on a handle and in a transaction of another shard', async () => {
    const team = await savedOn('canada', named(Team, {}))
    const player = () => named(Player, { team: Promise.resolve(team) })
    const brazil = db.shard('brazil')
    const both = ['brazil', 'canada']
    expect(await refused(() => brazil.manager.save(player()))).to.deep.equal(both)
    expect(await refused(() => brazil.transaction((own) => own.save(player())))).to.deep.equal(both)
    expect(
      await refused(() => brazil.transaction((own) => own.insert(Player, player()))),
    ).to.deep.equal(both)
  })

  it('is refused with one that is known only when TypeORM looks', async () => {
    const team = await savedOn('canada', named(Team, {}))
    const late = async (): Promise<Team> => {
      await Promise.resolve()
      return team
    }
    const player = () => named(Player, { team: late() })
    const brazil = db.shard('brazil')
    const works: readonly (() => Promise<unknown>)[] = [
      () => db.using('brazil', () => db.manager.save(player())),
      () => brazil.manager.save(player()),
      () => brazil.transaction((own) => own.save(player())),
    ]
    for (const work of works) expect(await refused(work)).to.deep.equal(['brazil', 'canada'])
  })
})
