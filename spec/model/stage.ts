import {
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm'
import { type ConnectionProxy, octopus } from '../../lib/index.js'
import { SqljsEndpoint } from '../support/engines/sqljs-endpoint.js'
import { summaries } from '../support/engines/summary.js'
import { shards } from './program.js'
import type { Server } from './reference.js'

@Entity('person')
export class Person {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @OneToMany('Pet', 'owner') pets!: Promise<Relation<Pet>[]>
}

@Entity('pet')
export class Pet {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @ManyToOne(() => Person, (person) => person.pets, { createForeignKeyConstraints: false })
  owner?: Relation<Person>
}

const servers: readonly Server[] = [...shards, 'brazil replica']

const rows = `
  DELETE FROM person; DELETE FROM pet;
  INSERT INTO person (id, name) VALUES (1, 'Ana'), (2, 'Bo'), (3, 'Cy');
  INSERT INTO pet (id, name, "ownerId") VALUES (1, 'Rex', 1), (2, 'Tom', 2), (3, 'Kit', 3)`

/** What one server was sent by a call. */
export interface Sent {
  readonly server: Server
  /** The mark that the call put into its SQL, if it could. */
  readonly tag: string | undefined
  readonly words: string
}

const tagged = /^\s*\/\*\s*(\w+)\s*\*\/\s*/

/** Three shards in memory, one with a replica, whose databases write down what they are sent. */
export class Stage {
  readonly db: ConnectionProxy
  readonly #endpoints: ReadonlyMap<Server, SqljsEndpoint>

  private constructor(db: ConnectionProxy, endpoints: ReadonlyMap<Server, SqljsEndpoint>) {
    this.db = db
    this.#endpoints = endpoints
  }

  static async open(): Promise<Stage> {
    const endpoints = new Map<Server, SqljsEndpoint>()
    for (const server of servers) endpoints.set(server, await SqljsEndpoint.open(server))
    const of = (server: Server) => {
      const endpoint = endpoints.get(server)
      if (endpoint === undefined) throw new Error(`There is no server ${server}.`)
      return endpoint
    }
    const shardOn = (server: Server): object => of(server).connection
    const options = { ...of('master').connection, entities: [Person, Pet] }
    const source = new DataSource(options as DataSourceOptions)
    const db = octopus(source, {
      shards: {
        brazil: {
          ...shardOn('brazil'),
          replicas: [{ name: 'replica', ...shardOn('brazil replica') }],
        },
        canada: shardOn('canada'),
      },
      // What was written stays recent for as long as a program runs.
      readYourWrites: { windowMs: 3_600_000 },
    })
    await db.initialize()
    await db.usingAll(() => db.synchronize())
    await db.using('brazil', () => db.usingReplica(() => db.query('SELECT 1')))
    await of('brazil replica').copyFrom(of('brazil'))
    return new Stage(db, endpoints)
  }

  /** Gives every server the rows that each program begins with. */
  async reset(): Promise<void> {
    for (const endpoint of this.#endpoints.values()) await endpoint.sql(rows)
  }

  /** A place in the logs of all servers. */
  mark(): ReadonlyMap<Server, number> {
    return new Map([...this.#endpoints].map(([server, endpoint]) => [server, endpoint.mark()]))
  }

  /** What the servers were sent since a mark. */
  async since(mark: ReadonlyMap<Server, number>): Promise<readonly Sent[]> {
    const sent: Sent[] = []
    for (const [server, endpoint] of this.#endpoints)
      for (const sql of await endpoint.since(mark.get(server) ?? 0)) {
        const [words] = summaries([sql.replace(tagged, '')])
        if (words !== undefined) sent.push({ server, tag: tagged.exec(sql)?.[1], words })
      }
    return sent
  }

  close(): Promise<void> {
    return this.db.destroy()
  }
}
