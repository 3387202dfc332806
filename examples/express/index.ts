// One shard per tenant in an Express application. The middleware opens a scope for each request and
// picks its shard; handlers need not know. Starts, calls itself, and stops.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type Request } from 'express'
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
// In a project of your own:  from 'typeorm-octopus/express'  and  from 'typeorm-octopus'
import { octopusMiddleware } from '../../lib/express.js'
import { UnknownShardError, octopus } from '../../lib/index.js'

@Entity()
class Note {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) text!: string
}

const db = octopus(new DataSource({ type: 'sqljs', entities: [Note] }), {
  shards: { acme: {}, globex: {} },
})
await db.initialize()
await db.usingAll(() => db.synchronize())
const notes = db.getRepository(Note)

/** Lets nobody through until two have come, so that the two requests below surely overlap. */
const arrivals: (() => void)[] = []
const bothAreHere = (): Promise<void> =>
  new Promise((resolve) => {
    arrivals.push(resolve)
    if (arrivals.length === 2) for (const goOn of arrivals) goOn()
  })

const app = express()
app.use(express.json())
// The tenant stands in a header here. It may as well come from the host name:
//   shard: (request) => request.subdomains.at(-1)
app.use(octopusMiddleware<Request>(db, { shard: (request) => request.get('x-tenant') }))

app.post('/notes', async (request, response) => {
  const { text } = request.body as { text: string }
  await notes.insert({ text })
  await bothAreHere() // the other tenant's request is now between its two queries, too
  const texts = (await notes.find()).map((note) => note.text)
  response.json({ shard: db.octopus.currentShard(), texts })
})

const onError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  // The error's message lists the shards: it is for the log, not for whoever asks.
  if (error instanceof UnknownShardError) response.status(404).json({ error: 'No such tenant.' })
  else next(error)
}
app.use(onError)

const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
// A server that listens on a port has such an address.
const { port } = server.address() as AddressInfo

const post = async (tenant: string, text: string): Promise<string> => {
  const answer = await fetch(`http://127.0.0.1:${port}/notes`, {
    method: 'POST',
    headers: { 'x-tenant': tenant, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ text }),
  })
  return `${tenant}: ${answer.status} ${await answer.text()}`
}

const answers = await Promise.all([post('acme', 'from Acme'), post('globex', 'from Globex')])
for (const answer of answers) console.log(answer)
console.log(await post('initech', 'nobody knows us'))

server.close()
await db.destroy()
