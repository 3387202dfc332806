import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { isExecutable } from '../servers/search.js'
import { until } from '../until.js'
import { atExit } from './at-exit.js'
import { hasEnded, isSuspended, processTree } from './process-tree.js'
import type { Account } from './run-as.js'

export interface ServerCommand {
  readonly binary: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface LaunchOptions extends ServerCommand {
  /** Receives stdout and stderr. */
  readonly logFile: string
  readonly folder: string
  readonly account: Account | undefined
  /** Ends the server at once and for good, leaving nothing behind in the system. */
  readonly abandonSignal: NodeJS.Signals
}

/** One running server with its child processes. Signals go to process ids that we started, only. */
export class ServerProcess {
  readonly #child: ChildProcess
  readonly #abandonSignal: NodeJS.Signals
  readonly #forget: () => void
  #end: string | undefined
  #isPaused = false

  constructor(options: LaunchOptions) {
    const log = openSync(options.logFile, 'a')
    const [binary, ...args] = withDeathSignal(options)
    this.#child = spawn(binary, args, {
      ...options.account,
      cwd: options.folder,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    this.#abandonSignal = options.abandonSignal
    this.#forget = atExit('servers', () => this.#signalToAbandon())
    this.#child.once('error', (error) => this.#ended(error.message))
    this.#child.once('exit', (code, signal) => this.#ended(signal ?? `exit code ${code}`))
  }

  /** How it ended, or undefined while it runs. */
  get end(): string | undefined {
    return this.#end
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  get pids(): readonly number[] {
    return this.#child.pid === undefined || this.#end ? [] : processTree(this.#child.pid)
  }

  /** Asks the server to finish, and waits until it has. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    this.resume()
    if (!this.#end) this.#child.kill(signal)
    await this.#waitForEnd(signal)
  }

  /** As at our own exit, but waits until it has ended. */
  async abandon(): Promise<void> {
    this.#signalToAbandon()
    await this.#waitForEnd(this.#abandonSignal)
  }

  async kill9(): Promise<void> {
    const { pids } = this
    this.#signalTree('SIGKILL')
    await this.#waitForEnd('SIGKILL')
    // PostgreSQL does not start again while a child of the last one holds its shared memory.
    await until(() => pids.every(hasEnded), { what: `processes ${pids.join(', ')} to end` })
  }

  /** Stops the clock of the server: its sockets stay open, and nothing answers. */
  async pause(): Promise<void> {
    if (this.#end) return
    this.#child.kill('SIGSTOP') // first the parent, so that no child is born while we count them
    this.#signalTree('SIGSTOP')
    this.#isPaused = true
    // On a busy machine a thread may go on for a while, and answer.
    await until(() => this.pids.every(isSuspended), {
      what: `process ${this.#child.pid} to be suspended`,
      intervalMs: 1,
    })
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#signalTree('SIGCONT')
    this.#isPaused = false
  }

  #signalToAbandon(): void {
    this.resume()
    this.#child.kill(this.#abandonSignal)
  }

  #signalTree(signal: NodeJS.Signals): void {
    for (const pid of this.pids) {
      try {
        process.kill(pid, signal)
      } catch {
        // ended meanwhile
      }
    }
  }

  async #waitForEnd(signal: NodeJS.Signals): Promise<void> {
    const what = `process ${this.#child.pid} to end after ${signal}`
    await until(() => this.#end, { what, timeoutMs: 30_000, intervalMs: 2 })
    this.#isPaused = false
  }

  #ended(how: string): void {
    this.#end ??= how
    this.#forget()
  }
}

/** Where the kernel offers it, lets it end the server when we die without a chance to do so. */
function withDeathSignal({ binary, args, abandonSignal }: LaunchOptions): [string, ...string[]] {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find(isExecutable)
  if (!setpriv) return [binary, ...args]
  return [setpriv, '--pdeathsig', abandonSignal.replace('SIG', ''), binary, ...args]
}
