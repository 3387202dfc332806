import { type Socket, connect, Socket as NetSocket } from 'node:net'
import type { EngineFamily } from './internals.js'

/** What mysql2 gives the maker of a socket. */
interface MysqlTarget {
  readonly config: {
    readonly socketPath?: string
    readonly host: string
    readonly port: number
    readonly enableKeepAlive?: boolean
    readonly keepAliveInitialDelay?: number
  }
}

/**
 * The sockets of one server's connections, also of those that are still being made: the drivers' pools
 * let go of a connection before its socket is closed, and cannot end an attempt.
 */
export class Sockets {
  readonly #open = new Set<Socket>()
  readonly #onClose: () => void
  #onEmpty: (() => void) | undefined

  /** @param onClose - is called after each socket's end */
  constructor(onClose: () => void) {
    this.#onClose = onClose
  }

  get size(): number {
    return this.#open.size
  }

  /** The option by which a driver lets its sockets be made. */
  option(family: EngineFamily): object {
    return family === 'postgres'
      ? { stream: () => this.#add(new NetSocket()) }
      : { stream: (target: MysqlTarget) => this.#add(connectMysql(target)) }
  }

  #add(socket: Socket): Socket {
    this.#open.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      this.#onClose()
      if (this.#open.size === 0) this.#onEmpty?.()
    })
    return socket
  }

  /** Settles when all are closed. */
  async closed(): Promise<void> {
    if (this.#open.size === 0) return
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
  }

  /** Closes all at once, whatever the server does. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy()
  }
}

/** As mysql2 does it itself. */
const connectMysql = ({ config }: MysqlTarget): Socket => {
  if (config.socketPath !== undefined && config.socketPath !== '') return connect(config.socketPath)
  const socket = connect(config.port, config.host)
  if (config.enableKeepAlive === true)
    socket.once('connect', () => socket.setKeepAlive(true, config.keepAliveInitialDelay))
  return socket.setNoDelay(true)
}
