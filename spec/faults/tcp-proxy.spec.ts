import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { expect } from 'chai'
import { TcpProxy, type Target } from '../support/faults/tcp-proxy.js'
import { until } from '../support/until.js'

/** A server that says its name, a colon and what it hears. */
const startEcho = async (name: string): Promise<{ server: Server; target: Target }> => {
  const server = createServer((socket) => {
    socket.on('data', (chunk) => void socket.write(`${name}:${chunk.toString()}`))
    socket.on('error', () => undefined)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } }
}

/** A client with what it heard, and how its connection ended. */
class Client {
  readonly socket: Socket
  heard = ''
  end: string | undefined

  constructor({ host, port }: Target) {
    this.socket = connect(port, host)
    this.socket.on('data', (chunk) => (this.heard += chunk.toString()))
    this.socket.on('end', () => (this.end ??= 'FIN'))
    this.socket.on('error', ({ code }: NodeJS.ErrnoException) => (this.end ??= code))
  }

  say(words: string): void {
    this.socket.write(words)
  }

  hears(words: string): Promise<unknown> {
    return until(() => this.heard === words, { what: () => `"${words}", heard "${this.heard}"` })
  }

  ends(): Promise<string> {
    return until(() => this.end, { what: 'the connection to end' })
  }
}

describe('the TCP proxy of the fault specs', () => {
  let servers: Server[] = []
  let clients: Client[] = []
  let first: Target
  let second: Target
  let proxy: TcpProxy
  let connections: Socket[]

  const client = (to: Target = proxy): Client => {
    const made = new Client(to)
    clients.push(made)
    return made
  }

  /** A client that has spoken to the server. */
  const connected = async (): Promise<Client> => {
    const made = client()
    made.say('hello')
    await made.hears('one:hello')
    made.heard = ''
    return made
  }

  beforeEach(async () => {
    const echoes = [await startEcho('one'), await startEcho('two')] as const
    servers = echoes.map(({ server }) => server)
    ;[first, second] = [echoes[0].target, echoes[1].target]
    connections = []
    servers[0]?.on('connection', (socket) => connections.push(socket))
    proxy = await TcpProxy.start(first)
  })

  afterEach(async () => {
    await proxy.stop()
    for (const { socket } of clients) socket.destroy()
    clients = []
    for (const server of servers) server.close()
    await Promise.all(servers.map((server) => once(server, 'close')))
  })

  it('carries bytes both ways, and counts who is connected', async () => {
    const one = await connected()
    await connected()
    expect({ open: proxy.open, accepted: proxy.accepted }).to.deep.equal({ open: 2, accepted: 2 })
    one.socket.end()
    await until(() => proxy.open === 1, { what: 'the first to be gone' })
    expect(proxy.accepted).to.equal(2)
  })

  it('refuses new connections and lets those that are open go on', async () => {
    const one = await connected()
    await proxy.refuse()
    expect(await client().ends()).to.equal('ECONNREFUSED')
    one.say('still')
    await one.hears('one:still')
    await proxy.pass()
    await connected()
  })

  it('cuts with a FIN, and resets with a RST', async () => {
    const cut = await connected()
    proxy.cut()
    expect(await cut.ends()).to.equal('FIN')
    const reset = await connected()
    proxy.reset()
    expect(await reset.ends()).to.equal('ECONNRESET')
    await until(() => proxy.open === 0, { what: 'no connection to be left' })
  })

  it('drops everything in a blackhole, also of new connections, and resets them afterwards', async () => {
    const old = await connected()
    proxy.blackhole()
    const young = client()
    await once(young.socket, 'connect')
    old.say('lost')
    young.say('lost')
    await until(() => proxy.open === 2, { what: 'both to be connected' })
    for (const server of connections) server.write('dropped')
    // What was dropped cannot be waited for: another way to the same server has answered meanwhile.
    const direct = client(first)
    direct.say('direct')
    await direct.hears('one:direct')
    expect([old.heard, young.heard, old.end, young.end]).to.deep.equal([
      '',
      '',
      undefined,
      undefined,
    ])
    await proxy.pass()
    expect([await old.ends(), await young.ends()]).to.deep.equal(['ECONNRESET', 'ECONNRESET'])
    await connected()
  })

  it('leaves connections half open while new ones work', async () => {
    const old = await connected()
    proxy.halfOpen()
    old.say('lost')
    await connected()
    expect([old.heard, old.end]).to.deep.equal(['', undefined])
  })

  it('delays chunks, in their order', async () => {
    const one = await connected()
    proxy.delay(40)
    const since = performance.now()
    one.say('a')
    await until(() => one.heard.length > 0, { what: 'an answer' })
    expect(performance.now() - since).to.be.within(75, 5000)
    one.say('b')
    await one.hears('one:aone:b')
  })

  it('passes the words on whose answer it drops, once', async () => {
    const one = await connected()
    proxy.dropAnswerTo('COMMIT')
    const received: string[] = []
    connections[0]?.on('data', (chunk) => received.push(chunk.toString()))
    one.say('COMMIT')
    expect(await one.ends()).to.equal('ECONNRESET')
    expect([one.heard, received]).to.deep.equal(['', ['COMMIT']])
    const next = client()
    next.say('COMMIT')
    await next.hears('one:COMMIT')
  })

  it('takes new connections to another server', async () => {
    const old = await connected()
    proxy.retarget(second)
    const young = client()
    young.say('new')
    old.say('old')
    await Promise.all([young.hears('two:new'), old.hears('one:old')])
  })

  it('resets a client whose server is not there', async () => {
    servers[1]?.close()
    await once(servers[1]!, 'close')
    proxy.retarget(second)
    expect(await client().ends()).to.equal('ECONNRESET')
    servers = servers.slice(0, 1)
  })
})
