import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { temporaryFolder, type TemporaryFolder } from '../cluster/folders.js'
import { freePort } from '../cluster/free-port.js'
import { ServerProcess } from '../cluster/server-process.js'
import { findRedis } from '../servers/find-redis.js'
import { missingServer } from '../servers/missing.js'
import { until } from '../until.js'

const host = '127.0.0.1'

/** A real Redis server on loopback, that keeps nothing on disk. */
export class RedisServer {
  readonly host = host
  readonly port: number
  readonly #process: ServerProcess
  readonly #folder: TemporaryFolder

  private constructor(port: number, process: ServerProcess, folder: TemporaryFolder) {
    this.port = port
    this.#process = process
    this.#folder = folder
  }

  /** Starts a server on a free port, and returns when it answers. */
  static async start({ isInCluster = false, attempts = 5 } = {}): Promise<RedisServer> {
    const found = findRedis()
    if (found === undefined) throw missingServer('redis')
    const [port, busPort] = [await freePort(), await freePort()]
    const folder = temporaryFolder('redis', 1, undefined)
    const data = path.join(folder.path, 'data')
    mkdirSync(data)
    const logFile = path.join(folder.path, 'server.log')
    const settings: Readonly<Record<string, string | number>> = {
      port,
      bind: host,
      dir: data,
      save: '',
      appendonly: 'no',
      ...(isInCluster ? { 'cluster-enabled': 'yes', 'cluster-port': busPort } : {}),
    }
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
    const { binary, env } = found
    const process = new ServerProcess({
      binary,
      args,
      env,
      logFile,
      folder: folder.path,
      account: undefined,
      abandonSignal: 'SIGKILL',
    })
    const server = new RedisServer(port, process, folder)
    const log = (): string => readFileSync(logFile, 'utf8')
    await until(() => process.end ?? /Ready to accept connections/.test(log()), {
      what: () => `Redis to take connections\n${log()}`,
      timeoutMs: 30_000,
    })
    if (process.end === undefined) return server
    const problem = new Error(`Redis ended as it started: ${process.end}\n${log()}`)
    folder.remove()
    if (attempts > 1 && /address already in use/i.test(problem.message))
      return RedisServer.start({ isInCluster, attempts: attempts - 1 })
    throw problem
  }

  async stop(): Promise<void> {
    if (this.#process.end === undefined) await this.#process.abandon()
    this.#folder.remove()
  }
}
