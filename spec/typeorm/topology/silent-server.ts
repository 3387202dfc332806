import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'

/** Takes connections and says nothing, until it is told to pass everything on to a real server. */
export class SilentServer {
  readonly host = '127.0.0.1'
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #answersAs: number | undefined

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => this.#take(socket))
  }

  static async start(): Promise<SilentServer> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new SilentServer(server)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** How many have connected. */
  get connections(): number {
    return this.#sockets.size
  }

  /** Passes on who is connected, and who connects from now on, to the server at a port. */
  answerAs(port: number): void {
    this.#answersAs = port
    for (const socket of this.#sockets) this.#passOn(socket, port)
  }

  stop(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    if (this.#answersAs !== undefined) this.#passOn(socket, this.#answersAs)
  }

  #passOn(socket: Socket, port: number): void {
    const real = connect(port, this.host)
    real.on('error', () => socket.destroy())
    socket.on('close', () => real.destroy())
    real.on('close', () => socket.destroy())
    socket.pipe(real).pipe(socket)
  }
}
