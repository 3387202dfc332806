import { until } from '../../support/until.js'
import type { Servers } from './servers.js'

/** Work that goes on and on, several times at once, until it is told to stop. */
export class Load {
  readonly errors: unknown[] = []
  readonly #workers: Promise<void>[]
  #done = 0
  #isOver = false

  constructor(work: () => Promise<unknown>, workers = 20) {
    this.#workers = Array.from({ length: workers }, () => this.#run(work))
  }

  async #run(work: () => Promise<unknown>): Promise<void> {
    while (!this.#isOver) {
      await work().catch((error: unknown) => this.errors.push(error))
      this.#done += 1
    }
  }

  /** How often the work was done. */
  get done(): number {
    return this.#done
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#workers)
  }
}

/** Waits until the application has no connection to a server any more. */
export const noConnections = (servers: Servers, index: number): Promise<unknown> =>
  until(async () => (await servers.node(index).connections()) === 0, {
    what: `server ${index} to have no connection left`,
  })

/** Does `change` in the middle of a load, and tells what each server was sent after it. */
export const changeUnder = async (
  servers: Servers,
  load: Load,
  change: () => Promise<void>,
): Promise<number[]> => {
  const more = async (what: string): Promise<void> => {
    const { done } = load
    await until(() => load.done >= done + 100, { what: `100 rounds ${what}` })
  }
  try {
    await more('before the change')
    await change()
    return await servers.sentDuring(() => more('after the change'))
  } finally {
    await load.stop()
  }
}
