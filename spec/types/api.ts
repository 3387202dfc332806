/** Type tests: this file is compiled, and never run. */
import { expectTypeOf } from 'expect-type'
import {
  type DataSource,
  type QueryRunner,
  type Repository,
  DataSource as TypeormDataSource,
} from 'typeorm'
import { octopusMiddleware } from '../../lib/express.js'
import {
  type ConnectionProxy,
  MigrateOn,
  type MigrationPlan,
  type MigrationReport,
  type RouteEvent,
  type ShardSettled,
  type ShardValue,
  type Traced,
  Shard,
  octopus,
  octopusOf,
  using,
  usingAll,
  usingGroup,
  usingPrimary,
  usingReplica,
} from '../../lib/index.js'

class User {
  id!: number
}

class AppDataSource extends TypeormDataSource {
  readonly tenant: string = 'shop'
}

export const proxies = (source: DataSource, own: AppDataSource): void => {
  const db = octopus(source)
  expectTypeOf(db).toExtend<DataSource>()
  expectTypeOf(db).toEqualTypeOf<ConnectionProxy>()
  expectTypeOf(octopus(own).tenant).toEqualTypeOf<string>()
  expectTypeOf(db.shard('brazil')).toEqualTypeOf<DataSource>()
  expectTypeOf(db.getRepository(User)).toEqualTypeOf<Repository<User>>()
  octopus(source, 'ormconfig.yml')
  // @ts-expect-error a DataSource is needed
  octopus({})
  // @ts-expect-error no such option
  octopus(source, { shard: {} })
  // @ts-expect-error a shard is an object
  octopus(source, { shards: { brazil: 'br-1' } })
  // @ts-expect-error replica or primary (aliases: slave, master)
  octopus(source, { reads: 'replicas' })
}

export const migrations = async (db: ConnectionProxy, runner: QueryRunner): Promise<void> => {
  const { migrations: control } = db.octopus
  expectTypeOf(control.plan({ shards: ['brazil'] })).toEqualTypeOf<Promise<MigrationPlan>>()
  const report = await control.run({ first: 'brazil', confirm: () => true, onError: 'continue' })
  expectTypeOf(report).toEqualTypeOf<MigrationReport>()
  expectTypeOf(octopusOf(runner).shard('canada')).toEqualTypeOf<QueryRunner>()
  // @ts-expect-error stop or continue
  await control.run({ onError: 'ignore' })
  // @ts-expect-error no such key
  MigrateOn({ servers: ['br-1'] })

  @MigrateOn({ shard: 'brazil', groups: ['europe'] })
  class Decorated {}
  expectTypeOf(new Decorated()).toEqualTypeOf<Decorated>()
}

export const scopes = (db: ConnectionProxy): void => {
  expectTypeOf(db.using('brazil', () => 1)).toEqualTypeOf<number>()
  expectTypeOf(db.using('brazil', async () => 'x')).toEqualTypeOf<Promise<string>>()
  expectTypeOf(using('brazil', () => 1)).toEqualTypeOf<number>()
  expectTypeOf(db.usingPrimary(async () => 1)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(usingPrimary(() => 1)).toEqualTypeOf<number>()
  expectTypeOf(db.usingReplica(() => 1)).toEqualTypeOf<number>()
  expectTypeOf(db.usingReplica({ group: 'reports' }, () => 1)).toEqualTypeOf<number>()
  expectTypeOf(usingReplica({ slaveGroup: 'reports' }, () => 'x')).toEqualTypeOf<string>()
  expectTypeOf(db.octopus.scope(() => 1)).toEqualTypeOf<number>()
  expectTypeOf(db.octopus.exportWrites()).toEqualTypeOf<string | undefined>()
  const writes = db.octopus.exportWrites({ onlyNew: true })
  expectTypeOf(db.octopus.scope(async () => 1, { writes })).toEqualTypeOf<Promise<number>>()
  // @ts-expect-error a token is a text
  db.octopus.scope(() => 1, { writes: 1 })
  // @ts-expect-error several shards are usingGroup or usingAll
  db.using(['brazil', 'canada'], () => 1)
  // @ts-expect-error a function is needed
  db.using('brazil', Promise.resolve(1))
  // @ts-expect-error no such option
  db.usingReplica({ replicaGroup: 'reports' }, () => 1)
}

export const fanOut = (db: ConnectionProxy): void => {
  const collect = { onError: 'collect' } as const
  const length = (shard: string): number => shard.length
  expectTypeOf(db.usingAll(length)).toEqualTypeOf<Promise<ShardValue<number>[]>>()
  expectTypeOf(db.usingAll(async () => 'x')).toEqualTypeOf<Promise<ShardValue<string>[]>>()
  expectTypeOf(db.usingAll(length, collect)).toEqualTypeOf<Promise<ShardSettled<number>[]>>()
  expectTypeOf(usingAll(length, { concurrency: 2 })).toEqualTypeOf<Promise<ShardValue<number>[]>>()
  expectTypeOf(db.usingGroup('americas', length)).toEqualTypeOf<Promise<ShardValue<number>[]>>()
  expectTypeOf(usingGroup('americas', length, collect)).toEqualTypeOf<
    Promise<ShardSettled<number>[]>
  >()
  // @ts-expect-error throw or collect
  void db.usingAll(length, { onError: 'ignore' })
}

export const middlewares = (db: ConnectionProxy): void => {
  octopusMiddleware(db, { writes: { cookie: 'wrote', secure: false } })
  octopusMiddleware(db, { writes: { header: 'x-wrote', onRefused: ({ failure }) => failure } })
  // @ts-expect-error one of them has to be said
  octopusMiddleware(db, { writes: {} })
}

export const traces = (db: ConnectionProxy): void => {
  const stop = db.octopus.onRoute((event) => expectTypeOf(event).toEqualTypeOf<RouteEvent>())
  expectTypeOf(stop).toEqualTypeOf<() => void>()
  expectTypeOf(db.octopus.withTrace(async () => 1)).toEqualTypeOf<Promise<Traced<number>>>()
  expectTypeOf(db.octopus.bindShard(new User(), 'brazil')).toEqualTypeOf<User>()
  expectTypeOf(db.octopus.shardOf(new User())).toEqualTypeOf<string | undefined>()
  db.octopus.onRoute((event) => {
    // @ts-expect-error events are not changed
    event.shard = 'brazil'
  })
}

@Shard('brazil')
export class Service {
  @Shard('canada')
  plain(): number {
    return 1
  }

  @Shard((country: string, _id: number) => country)
  byCountry(country: string, id: number): string {
    return country + String(id)
  }

  @Shard((country: string) => country)
  static fixed(country: string): string {
    return country
  }

  // @ts-expect-error the arguments are not those of the method
  @Shard((id: number) => `shard-${id}`)
  wrong(country: string): string {
    return country
  }

  // @ts-expect-error the name is told at once
  @Shard(async (country: string) => country)
  late(country: string): string {
    return country
  }

  // @ts-expect-error neither properties
  @Shard('brazil')
  name = ''
}
