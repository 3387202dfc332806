import { type Server, type Socket, connect, createServer } from 'node:net'
import { freePort } from '../cluster/free-port.js'

/** Where a proxy leads. */
export interface Target {
  readonly host: string
  readonly port: number
}

/** One client of the proxy, with the proxy's own connection to the server: none in a blackhole. */
interface Link {
  readonly client: Socket
  readonly server: Socket | undefined
  /** Whether bytes are dropped, both ways. */
  isDark: boolean
  /** Whether the client has said something that was dropped. */
  isUnheard: boolean
  /** The server's next answer ends the connection instead of being passed on. */
  endsAtAnswer: boolean
}

/**
 * A TCP proxy on loopback in front of one server, with the faults that networks have. Faults hold
 * until `pass`, except those that end connections.
 */
export class TcpProxy {
  readonly host: string
  readonly #links = new Set<Link>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly port: number
  /** What was said first on each connection where nobody heard it, since the start. */
  readonly unheard: Buffer[] = []
  #server: Server | undefined
  #target: Target
  #isDark = false
  #delayMs = 0
  #lastWord: string | undefined
  #accepted = 0

  private constructor(target: Target, host: string, port: number) {
    this.#target = target
    this.host = host
    this.port = port
  }

  /** @param at - where it listens; on any free port of 127.0.0.1 by default */
  static async start(
    target: Target,
    { host = '127.0.0.1', port }: Partial<Target> = {},
  ): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, host, port ?? (await freePort()))
    await proxy.#listen()
    return proxy
  }

  /** Clients that are connected now. */
  get open(): number {
    return this.#links.size
  }

  /** Connections taken since the start. */
  get accepted(): number {
    return this.#accepted
  }

  /** Ends every fault. Connections that have lost bytes are reset: their streams have gaps. */
  async pass(): Promise<void> {
    this.#isDark = false
    this.#delayMs = 0
    this.#lastWord = undefined
    for (const link of this.#links) if (link.isDark) this.#end(link)
    await this.#listen()
  }

  /** Nobody listens any more. Open connections go on. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    // Its callback waits for the open connections; nobody is taken from now on.
    server?.close()
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Ends all connections in good order (FIN), both ways. */
  cut(): void {
    for (const { client, server } of this.#links) {
      client.end()
      server?.end()
    }
  }

  /** Ends all connections by RST, both ways. */
  reset(): void {
    for (const link of this.#links) this.#end(link)
  }

  /** Open connections stay open and drop what comes, both ways. New ones work. */
  halfOpen(): void {
    for (const link of this.#links) link.isDark = true
  }

  /** As `halfOpen`; new connections are taken as well, and hear nothing. */
  blackhole(): void {
    this.halfOpen()
    this.#isDark = true
  }

  /** Each chunk takes so many milliseconds longer, both ways. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** Whoever sends these words next gets them through, and a RST in place of the server's answer. */
  dropAnswerTo(words: string): void {
    this.#lastWord = words
  }

  /** New connections go to another server. Those that are open stay. */
  retarget(target: Target): void {
    this.#target = target
  }

  /** Ends the proxy with all that is open. */
  async stop(): Promise<void> {
    await this.refuse()
    this.reset()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  async #listen(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer((client) => this.#take(client))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.port, this.host, resolve)
    })
    this.#server = server
  }

  #take(client: Socket): void {
    this.#accepted += 1
    const server = this.#isDark ? undefined : connect(this.#target)
    const link: Link = {
      client,
      server,
      isDark: this.#isDark,
      isUnheard: false,
      endsAtAnswer: false,
    }
    this.#links.add(link)
    client.once('close', () => this.#links.delete(link))
    this.#carry(link, client, server)
    if (server !== undefined) this.#carry(link, server, client)
  }

  /** Takes to the other side what one side says, and that it ends. */
  #carry(link: Link, from: Socket, to: Socket | undefined): void {
    from.setNoDelay(true)
    from.on('data', (chunk: Buffer) => {
      if (link.isDark) {
        if (from === link.client) this.#drop(link, chunk)
        return
      }
      if (from === link.client) this.#listenFor(link, chunk)
      else if (link.endsAtAnswer) {
        this.#end(link)
        return
      }
      this.#later(() => to?.write(chunk))
    })
    from.on('end', () => {
      if (!link.isDark) this.#later(() => to?.end())
    })
    // A server that is not there: the client was taken already, so it is reset and not refused.
    from.on('error', () => {
      if (!link.isDark) this.#end(link)
    })
    from.on('close', () => {
      // In a blackhole the server's end is not heard; the client's is not a matter of the network.
      if (from === link.client || !link.isDark) this.#later(() => to?.destroy())
    })
  }

  #drop(link: Link, chunk: Buffer): void {
    if (!link.isUnheard) this.unheard.push(chunk)
    link.isUnheard = true
  }

  #listenFor(link: Link, chunk: Buffer): void {
    if (this.#lastWord === undefined || !chunk.includes(this.#lastWord)) return
    this.#lastWord = undefined
    link.endsAtAnswer = true
  }

  #end({ client, server }: Link): void {
    for (const socket of [client, server])
      // There is nothing to reset before a connection is made, and Node would wait for it.
      if (socket?.readyState === 'open') socket.resetAndDestroy()
      else socket?.destroy()
  }

  /** In order: timers of one length fire in the order in which they were set. */
  #later(work: () => void): void {
    if (this.#delayMs === 0) {
      work()
      return
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, this.#delayMs)
    this.#timers.add(timer)
  }
}
