import { Inject, Injectable, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { InjectRepository, TypeOrmModule, getDataSourceToken } from '@nestjs/typeorm'
import {
  ClsPluginTransactional,
  InjectTransaction,
  Propagation,
  Transactional,
  TransactionHost,
} from '@nestjs-cls/transactional'
import { TransactionalAdapterTypeOrm } from '@nestjs-cls/transactional-adapter-typeorm'
import { expect } from 'chai'
import { ClsModule } from 'nestjs-cls'
import type { EntityManager, Repository } from 'typeorm'
import { Shard } from '../../../lib/index.js'
import { Author, Post } from '../../support/entities/index.js'
import { Bed } from '../scenarios/bed.js'
import { onServers, onSqljs } from '../scenarios/plans.js'
import { failureOf } from './support.js'

/** Nest keeps the entities of each data source for the whole process. */
const source = 'hiring'

type Host = TransactionHost<TransactionalAdapterTypeOrm>

@Injectable()
class Hiring {
  constructor(
    @Inject(TransactionHost) readonly host: Host,
    @InjectTransaction() readonly manager: EntityManager,
    @InjectRepository(Author, source) readonly outside: Repository<Author>,
  ) {}

  @Transactional()
  async hire(name: string, isWanted = true): Promise<Author> {
    const author = await this.host.tx.getRepository(Author).save({ name })
    await this.manager.insert(Post, { title: `by ${name}` })
    if (!isWanted) throw new Error('changed my mind')
    return author
  }

  @Shard('s2')
  @Transactional()
  hireOnS2(name: string): Promise<Author> {
    return this.hire(name)
  }
}

let bed: Bed

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      name: source,
      useFactory: () => ({ name: source, type: 'sqljs', retryAttempts: 0 }),
      dataSourceFactory: () => Promise.resolve(bed.db),
    }),
    TypeOrmModule.forFeature([Author], source),
    ClsModule.forRoot({
      plugins: [
        new ClsPluginTransactional({
          imports: [TypeOrmModule],
          adapter: new TransactionalAdapterTypeOrm({ dataSourceToken: getDataSourceToken(source) }),
          enableTransactionProxy: true,
        }),
      ],
    }),
  ],
  providers: [Hiring],
})
class AppModule {}

const begun = (...sent: string[]): string[] => ['begin', ...sent, 'commit']
const hired = ['insert author', 'insert post']

interface Outcome {
  readonly sent: readonly string[]
  /** Whether it outlives the transaction around it. */
  readonly stays: boolean
}

/** What an insert does with a propagation, inside a transaction that fails later. */
const outcomes: Readonly<Record<Propagation, Outcome>> = {
  REQUIRED: { sent: ['insert author'], stays: false },
  REQUIRES_NEW: { sent: begun('insert author'), stays: true },
  NESTED: { sent: ['savepoint', 'insert author', 'release savepoint'], stays: false },
  SUPPORTS: { sent: ['insert author'], stays: false },
  NOT_SUPPORTED: { sent: ['insert author'], stays: true },
  MANDATORY: { sent: ['insert author'], stays: false },
  NEVER: { sent: [], stays: false },
}

for (const [engine, plan] of Object.entries({ 'sql.js': onSqljs, MariaDB: onServers('mariadb') }))
  describe(`@nestjs-cls/transactional over a wrapped DataSource on ${engine}`, () => {
    let app: Awaited<ReturnType<typeof NestFactory.createApplicationContext>>
    let hiring: Hiring
    let host: Host

    before(async function () {
      this.timeout(60_000)
      bed = await Bed.start(plan)
      app = await NestFactory.createApplicationContext(AppModule, {
        logger: false,
        // Otherwise what fails in it ends the process, without a word.
        abortOnError: false,
      })
      hiring = app.get(Hiring)
      host = hiring.host
    })
    beforeEach(() => bed.reset())
    after(async function () {
      this.timeout(60_000)
      try {
        await app?.close()
      } finally {
        await bed?.stop()
      }
    })

    const inTransaction = <T>(shard: string, work: () => Promise<T>): Promise<T> =>
      bed.db.using(shard, () => host.withTransaction(work))
    const insert = (name: string) => host.tx.insert(Author, { name })

    it('begins on the shard of the scope, for the host’s manager and the injected one', async () => {
      const statements = await bed.statementsDuring(async () => {
        const author = await bed.db.using('s1', () => hiring.hire('Ana'))
        expect(bed.db.octopus.shardOf(author)).to.equal('s1')
        await failureOf(() => bed.db.using('s2', () => hiring.hire('Bo', false)))
      })
      expect(statements).to.deep.equal({ s1: begun(...hired), s2: ['begin', ...hired, 'rollback'] })
      expect(await bed.added('author', 'name')).to.deep.equal({ s1: ['Ana'] })
    })

    it('begins on the shard of @Shard above it', async () => {
      const statements = await bed.statementsDuring(() =>
        bed.db.using('s1', () => hiring.hireOnS2('Ana')),
      )
      expect(statements).to.deep.equal({ s2: begun(...hired) })
    })

    for (const [propagation, { sent, stays }] of Object.entries(outcomes))
      it(`keeps to ${propagation} inside a transaction`, async () => {
        // SQLite has one connection, on which a second transaction is a savepoint.
        const isShared = engine === 'sql.js'
        const inner = () => host.withTransaction(propagation as Propagation, () => insert('inner'))
        const statements = await bed.statementsDuring(async () => {
          const error = await failureOf(() =>
            inTransaction('s1', async () => {
              await insert('outer')
              await inner()
              throw new Error('changed my mind')
            }),
          )
          if (propagation === Propagation.Never)
            expect(error).to.have.property('name', 'TransactionAlreadyActiveError')
          else expect(error).to.have.property('message', 'changed my mind')
        })
        const { NESTED } = outcomes
        const told = isShared && propagation === Propagation.RequiresNew ? NESTED.sent : sent
        expect(statements).to.deep.equal({ s1: ['begin', 'insert author', ...told, 'rollback'] })
        const left = stays && !isShared ? { s1: ['inner'] } : {}
        expect(await bed.added('author', 'name')).to.deep.equal(left)
      })

    it('is refused in a younger scope of another shard, where REQUIRES_NEW begins anew', async () => {
      const statements = await bed.statementsDuring(() =>
        inTransaction('s1', async () => {
          await insert('here')
          await bed.db.using('s2', async () => {
            expect(await failureOf(() => insert('lost'))).to.have.property('code', 'cross-shard')
            await host.withTransaction(Propagation.RequiresNew, () => insert('there'))
          })
          await insert('here again')
        }),
      )
      expect(statements).to.deep.equal({
        s1: begun('insert author', 'insert author'),
        s2: begun('insert author'),
      })
    })

    it('refuses an entity of another shard before any SQL', async () => {
      const ana = await bed.db.using('s2', () => hiring.outside.findOneByOrFail({ id: 1 }))
      const works: ((manager: EntityManager) => Promise<unknown>)[] = [
        (manager) => manager.save(ana),
        (manager) => manager.insert(Author, ana),
        (manager) => manager.remove(ana),
        () => hiring.manager.save(ana),
      ]
      for (const work of works) {
        const statements = await bed.statementsDuring(async () => {
          const error = await failureOf(() => inTransaction('s1', () => work(host.tx)))
          expect(error).to.have.property('code', 'cross-shard')
        })
        expect(statements).to.deep.equal({ s1: ['begin', 'rollback'] })
      }
    })

    it('loads lazy relations in the transaction', async () => {
      const statements = await bed.statementsDuring(() =>
        inTransaction('s1', async () => {
          await host.tx.insert(Post, { title: 'new', author: { id: 1 } as never })
          const ana = await host.tx.findOneByOrFail(Author, { id: 1 })
          expect(await ana.posts).to.have.length(3)
        }),
      )
      expect(statements).to.deep.equal({
        s1: begun('insert post', 'select author', 'select post'),
      })
    })

    it('leaves reads beside it, and those after its commit, to the primary', async () => {
      const statements = await bed.statementsDuring(() =>
        bed.db.using('s3', async () => {
          await host.withTransaction(async () => {
            await insert('Ana')
            await hiring.outside.find()
          })
          expect(await hiring.outside.countBy({ name: 'Ana' })).to.equal(1)
        }),
      )
      expect(statements).to.deep.equal({
        s3: [...begun('insert author', 'select author'), 'select author'],
      })
    })

    if (engine === 'sql.js') return

    it('passes the isolation level on', async () => {
      const { s1 } = await bed.sqlDuring(() =>
        bed.db.using('s1', () =>
          host.withTransaction({ isolationLevel: 'SERIALIZABLE' }, () => insert('Ana')),
        ),
      )
      expect(s1?.slice(0, 2)).to.deep.equal([
        'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
        'START TRANSACTION',
      ])
    })
  })
