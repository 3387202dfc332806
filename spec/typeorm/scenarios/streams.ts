import { createRequire } from 'node:module'
import { expect } from 'chai'
import type { EngineName } from '../../support/engines/endpoint.js'
import { Author } from '../../support/entities/index.js'
import type { BedPlan, ShardName } from './plans.js'
import { type Scenario, scenario } from './scenario.js'

const isInstalled = (packageName: string): boolean => {
  try {
    createRequire(import.meta.url).resolve(packageName)
    return true
  } catch {
    return false
  }
}

/** TypeORM's SQLite drivers have no streams, and for PostgreSQL's it needs a further package. */
const engineStreams: Readonly<Record<EngineName, boolean>> = {
  mariadb: true,
  postgres: isInstalled('pg-query-stream'),
  sqljs: false,
}

const canStream = (engines: BedPlan['engines'], shard: ShardName): boolean =>
  engineStreams[engines[shard]]

interface NameRow {
  readonly author_name: string
}

const namesOf = async (stream: AsyncIterable<unknown>): Promise<string[]> => {
  const names: string[] = []
  for await (const row of stream) names.push((row as NameRow).author_name)
  return names
}

/** Rows that come one by one. */
export const streams: readonly Scenario[] = [
  scenario(
    32,
    'a stream opened in a scope delivers the rows of its shard, also outside',
    async (bed) => {
      const { db, captured } = bed
      const open = () => captured.authors.createQueryBuilder('author').orderBy('author.id').stream()
      const statements = await bed.statementsDuring(async () => {
        const s1 = await db.using('s1', open)
        const s2 = await db.using('s2', open)
        expect(await namesOf(s1)).to.deep.equal(['Ana of s1', 'Bo of s1'])
        expect(await db.using('s1', () => namesOf(s2))).to.deep.equal(['Ana of s2', 'Bo of s2'])
        const own = await open()
        const names = await db.using('s1', () => namesOf(own))
        expect(names).to.deep.equal(['Ana of master', 'Bo of master'])
      })
      expect(statements).to.deep.equal({
        s1: ['select author'],
        s2: ['select author'],
        master: ['select author'],
      })
    },
    (engines) => canStream(engines, 's1') && canStream(engines, 's2'),
  ),

  scenario(
    32,
    'a stream is read from a replica',
    async (bed) => {
      const { db, captured } = bed
      const statements = await bed.statementsDuring(async () => {
        for (const _ of bed.replicaNames) {
          const stream = await db.using('s3', () =>
            captured.authors.createQueryBuilder('author').orderBy('author.id').stream(),
          )
          expect(await namesOf(stream)).to.deep.equal(['Ana of s3', 'Bo of s3'])
        }
      })
      expect(Object.values(statements).flat()).to.deep.equal(['select author', 'select author'])
      expect(bed.replicaNames).to.include.members(Object.keys(statements))
    },
    (engines) => canStream(engines, 's3'),
  ),

  scenario(
    32,
    'a stream of the default shard is read inside the scopes of others',
    async (bed) => {
      const { db, captured } = bed
      const statements = await bed.statementsDuring(async () => {
        const stream = await db.using('s1', () =>
          db.using('master', () =>
            captured.authors.createQueryBuilder('author').orderBy('author.id').stream(),
          ),
        )
        const names = await db.using('s2', () => namesOf(stream))
        expect(names).to.deep.equal(['Ana of master', 'Bo of master'])
      })
      expect(statements).to.deep.equal({ master: ['select author'] })
    },
    (engines) => canStream(engines, 'master') && !canStream(engines, 's1'),
  ),

  scenario(
    32,
    'a stream is refused by a driver that has none, and reaches no other shard',
    async (bed) => {
      const { db } = bed
      const statements = await bed.statementsDuring(async () => {
        const error: unknown = await db
          .using('s1', () => db.createQueryBuilder(Author, 'author').stream())
          .catch((reason: unknown) => reason)
        expect(error).to.be.instanceOf(Error)
      })
      expect(statements).to.deep.equal({})
    },
    (engines) => !canStream(engines, 's1'),
  ),
]
