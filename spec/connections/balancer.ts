import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'

/** Passes each connection on to the next of its servers, as a balancer of TCP does. */
export class Balancer {
  readonly host = '127.0.0.1'
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, targets: readonly { host: string; port: number }[]) {
    this.#server = server
    let turn = 0
    server.on('connection', (client) => {
      const target = targets[turn++ % targets.length]
      if (target === undefined) return client.destroy()
      const real = connect(target.port, target.host)
      for (const [one, other] of [
        [client, real],
        [real, client],
      ] as const) {
        this.#sockets.add(one)
        one.setNoDelay(true)
        one.on('error', () => other.destroy())
        one.on('close', () => {
          this.#sockets.delete(one)
          other.destroy()
        })
        one.pipe(other)
      }
    })
  }

  static async start(targets: readonly { host: string; port: number }[]): Promise<Balancer> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Balancer(server, targets)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  stop(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
