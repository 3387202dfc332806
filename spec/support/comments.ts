import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express, type Request, type Response } from 'express'
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm'
import { type OctopusMiddlewareOptions, octopusMiddleware } from '../../lib/express.js'
import { type ConnectionProxy, type OctopusOptions, octopus } from '../../lib/index.js'
import type { Cluster } from './cluster/index.js'

@Entity()
class Comment {
  @PrimaryColumn({ type: Number }) id!: number
  @Column({ type: String }) text!: string
}

export const secret = 'a secret of thirty-two characters'

/** A data source over one primary, which is shard `brazil` too, and its replica. */
export const openOver = async (
  cluster: Cluster,
  options: OctopusOptions = {},
): Promise<ConnectionProxy> => {
  const { primary, replicas } = cluster.shard(0)
  const copies = replicas.map(({ host, port }) => ({ name: 'replica', host, port }))
  const source = new DataSource({
    type: 'mariadb',
    ...primary.connectionOptions(),
    entities: [Comment],
  })
  const db = octopus(source, {
    replicas: copies,
    shards: { brazil: { host: primary.host, port: primary.port, replicas: copies } },
    allowSharedServer: true,
    readYourWrites: { secret },
    ...options,
  })
  await db.initialize()
  return db
}

let lastId = 0
/** Writes a row of its own; its id. */
export const write = async (db: ConnectionProxy): Promise<number> => {
  const id = (lastId += 1)
  await db.getRepository(Comment).insert({ id, text: 'x' })
  return id
}

export type Settings = OctopusMiddlewareOptions<Request>

/** What a process answered. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly cookies: readonly string[]
  readonly header: string | undefined
}

/** What a client of both kinds sends back. */
export const sentBack = ({ cookies, header = '' }: Answer): Record<string, string> => ({
  cookie: cookies.map((text) => text.split(';')[0]).join('; '),
  'x-wrote': header,
})

/** One process of an application that writes and sees rows; `get` asks it. */
export const serveComments = async (
  db: ConnectionProxy,
  settings: Settings,
  routes: (app: Express) => void = () => undefined,
) => {
  const app = express()
  app.use(octopusMiddleware<Request>(db, settings))
  app.get('/write', async (_request, response) => {
    response.send(String(await write(db)))
  })
  app.get('/see/:id', async (request, response) => {
    response.send(await db.getRepository(Comment).existsBy({ id: Number(request.params.id) }))
  })
  routes(app)
  app.use((error: Error, _request: Request, response: Response, _next: unknown) => {
    response.status(500).send(error.message)
  })
  const server: Server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const get = async (path: string, headers: Record<string, string> = {}): Promise<Answer> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
    return {
      status: answer.status,
      text: await answer.text(),
      cookies: answer.headers.getSetCookie(),
      header: answer.headers.get('x-wrote') ?? undefined,
    }
  }
  return { server, get }
}
