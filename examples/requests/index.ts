// A row that one request writes is read by the next, in another process of the application, though
// the replicas do not have it yet: the client carries a signed token of what it has written, in a
// cookie. A job carries one in its payload. Starts a real MariaDB primary with a replica that stands
// still (spec/support/cluster), asks two applications in turn, and stops everything at the end.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
// In a project of your own:  from 'typeorm-octopus/express'  and  from 'typeorm-octopus'
import { octopusMiddleware } from '../../lib/express.js'
import { type ConnectionProxy, WritesTokenError, octopus } from '../../lib/index.js'
import { MariadbCluster } from '../../spec/support/cluster/index.js'

@Entity()
class Note {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) text!: string
}

const cluster = await MariadbCluster.start({ shards: 1, replicas: 1 })
const { primary, replicas } = cluster.shard(0)

/** What each process of the application does. The secret is the same in all of them. */
const openDataSource = async (): Promise<ConnectionProxy> => {
  const db = octopus(
    new DataSource({ type: 'mariadb', ...primary.connectionOptions(), entities: [Note] }),
    {
      replicas: replicas.map(({ host, port }) => ({ host, port })),
      readYourWrites: { secret: 'from the environment: 32 characters, or more' },
    },
  )
  await db.initialize()
  return db
}

const serve = async (db: ConnectionProxy): Promise<Server> => {
  const notes = db.getRepository(Note)
  const app = express()
  app.use(octopusMiddleware(db, { writes: { cookie: 'wrote' } }))
  app.post('/notes', async (_request, response) => {
    const { id } = await notes.save({ text: 'from a form' })
    response.redirect(303, `/notes/${id}`)
  })
  app.get('/notes/:id', async (request, response) => {
    const note = await notes.findOneBy({ id: Number(request.params.id) })
    response.status(note === null ? 404 : 200).send(note?.text ?? 'no such note')
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** Asks one of the processes, as a load balancer does; what the client got. */
const ask = async (server: Server, method: string, path: string, cookie = '') => {
  // A server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    redirect: 'manual',
    headers: { cookie, connection: 'close' },
  })
  const [cookieSet = ''] = answer.headers.getSetCookie()
  return {
    told: `${answer.status} ${await answer.text()}`,
    location: answer.headers.get('location') ?? '',
    cookie: cookieSet.split(';')[0] ?? '',
  }
}

const db = await openDataSource()
const other = await openDataSource()
const servers = [await serve(db), await serve(other)] as const

try {
  await db.synchronize()
  await cluster.waitUntilCaughtUp(cluster.shard(0))
  for (const replica of replicas) await cluster.freezeReplication(replica)

  console.log('1. A form is posted to one process; another answers for the page that follows.')
  const { location, cookie } = await ask(servers[0], 'POST', '/notes')
  console.log(`   without the cookie: ${(await ask(servers[1], 'GET', location)).told}`)
  console.log(`   with the cookie:    ${(await ask(servers[1], 'GET', location, cookie)).told}`)

  console.log('\n2. A job brings the token along in its payload.')
  const payload = await db.octopus.scope(async () => {
    const { id } = await db.getRepository(Note).save({ text: 'to be mailed' })
    return JSON.stringify({ id, writes: db.octopus.exportWrites() })
  })
  const { id, writes } = JSON.parse(payload) as { id: number; writes?: string }
  const mailed = await other.octopus.scope(() => other.getRepository(Note).findOneBy({ id }), {
    writes,
  })
  console.log(`   mailed: ${mailed?.text}`)

  console.log('\n3. A token that nobody signed is refused; a request goes on without it.')
  console.log(`   ${(await ask(servers[1], 'GET', location, 'wrote=made.up')).told}`)
  try {
    other.octopus.scope(() => undefined, { writes: 'made.up' })
  } catch (error) {
    if (!(error instanceof WritesTokenError)) throw error
    console.log(`   ${error.name}: ${error.failure}`)
  }
} finally {
  for (const server of servers) server.close()
  await Promise.all([db.destroy(), other.destroy()])
  await cluster.stop()
}
