import { expect } from 'chai'
import { expectTypeOf } from 'expect-type'
import type { z } from 'zod'
import type { BetterSqlite3DataSourceOptions } from 'typeorm/driver/better-sqlite3/BetterSqlite3DataSourceOptions.js'
import type { MysqlDataSourceOptions } from 'typeorm/driver/mysql/MysqlDataSourceOptions.js'
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js'
import type { SqljsDataSourceOptions } from 'typeorm/driver/sqljs/SqljsDataSourceOptions.js'
import { type anyEngineKeys, connectionKeys } from '../../lib/config/connection-keys.js'
import type {
  ConnectionOptions,
  OctopusOptions,
  ReplicaOptions,
  ShardOptions,
} from '../../lib/config/options.js'
import type { octopusSchema, replicaShape, shardShape } from '../../lib/config/schema.js'
import { engines } from '../../lib/config/words.js'

interface TypeOrmOptions {
  mysql: MysqlDataSourceOptions
  postgres: PostgresDataSourceOptions
  sqljs: SqljsDataSourceOptions
  'better-sqlite3': BetterSqlite3DataSourceOptions
}
type Family = keyof TypeOrmOptions

/** Keys of TypeORM's that a shard does not take, for reasons that `shape.ts` tells. */
type NotOfAShard = 'type' | 'entities' | 'subscribers' | 'migrations' | 'replication'

/** The keys of TypeORM's options for an engine, without those that it forbids by `never`. */
type TypeOrmKeys<F extends Family> = {
  [K in keyof TypeOrmOptions[F]]-?: Exclude<TypeOrmOptions[F][K], undefined> extends never
    ? never
    : K
}[keyof TypeOrmOptions[F]]

type OurKeys<F extends Family> = keyof (typeof connectionKeys)[F]

type Missing<F extends Family> = Record<
  Exclude<TypeOrmKeys<F>, OurKeys<F> | NotOfAShard>,
  'TypeORM has this option: add it to lib/config/connection-keys.ts and options.ts'
>
type Gone<F extends Family> = Record<
  Exclude<OurKeys<F>, TypeOrmKeys<F>>,
  'TypeORM no longer has this option: remove it from lib/config/connection-keys.ts and options.ts'
>

/** Values that our schema lets through and TypeORM's types do not take. */
type WrongValues<F extends Family> = {
  [K in OurKeys<F> & keyof TypeOrmOptions[F]]: (typeof connectionKeys)[F][K] extends z.ZodType<
    infer V
  >
    ? // objects and functions are the user's and TypeORM's affair
      Exclude<V, object> extends TypeOrmOptions[F][K]
      ? never
      : K
    : never
}[OurKeys<F> & keyof TypeOrmOptions[F]]

describe("the contract with TypeORM's options", () => {
  it('knows every connection option of each engine, and no other', () => {
    // a key that is named in an error here says what to do
    const missing: { [F in Family]: Missing<F> } = {
      mysql: {},
      postgres: {},
      sqljs: {},
      'better-sqlite3': {},
    }
    const gone: { [F in Family]: Gone<F> } = {
      mysql: {},
      postgres: {},
      sqljs: {},
      'better-sqlite3': {},
    }
    expect(Object.keys(missing)).to.have.members(Object.keys(connectionKeys))
    expect(Object.keys(gone)).to.have.members(Object.keys(connectionKeys))
  })

  it('takes only values that TypeORM takes', () => {
    expectTypeOf<WrongValues<'mysql'>>().toBeNever()
    expectTypeOf<WrongValues<'postgres'>>().toBeNever()
    expectTypeOf<WrongValues<'sqljs'>>().toBeNever()
    expectTypeOf<WrongValues<'better-sqlite3'>>().toBeNever()
  })

  it("has TypeORM's engines", () => {
    expectTypeOf<(typeof engines)[number]>().toEqualTypeOf<TypeOrmOptions[Family]['type']>()
    expect(engines).to.have.length(5)
  })
})

describe('the documented types of the options', () => {
  it('are those that the schema checks', () => {
    expectTypeOf<keyof ConnectionOptions>().toEqualTypeOf<keyof typeof anyEngineKeys | 'type'>()
    expectTypeOf<keyof ReplicaOptions>().toEqualTypeOf<keyof typeof replicaShape>()
    expectTypeOf<keyof ShardOptions>().toEqualTypeOf<keyof typeof shardShape>()
    expectTypeOf<keyof OctopusOptions>().toEqualTypeOf<keyof z.input<typeof octopusSchema>>()
    const asDocumented = (checked: z.input<typeof octopusSchema>): OctopusOptions => checked
    const asChecked = (documented: OctopusOptions): z.input<typeof octopusSchema> => documented
    expect(asDocumented(asChecked({}))).to.deep.equal({})
  })

  it('refuse misspelt keys, and what a replica cannot do', () => {
    // @ts-expect-error -- no such key
    const misspelt: ShardOptions = { hots: 'br-1' }
    // @ts-expect-error -- only a primary changes its schema
    const replica: ReplicaOptions = { host: 'br-1', synchronize: true }
    expect([misspelt, replica]).to.have.length(2)
  })
})
