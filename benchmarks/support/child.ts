import { fork } from 'node:child_process'

/** Runs a module in a process of its own and returns the message that it sends. */
export const messageOf = <T>(
  module: string,
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): Promise<T> =>
  new Promise((resolve, reject) => {
    const child = fork(module, args, { execArgv: [...nodeOptions] })
    let message: T | undefined
    child.on('message', (sent) => {
      message = sent as T
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (code === 0 && message !== undefined) resolve(message)
      else reject(new Error(`${module} ended with ${signal ?? `code ${code}`}`))
    })
  })

/** Sends the result to the process that asked for it, and ends. */
export const answer = (message: unknown): void => {
  if (process.send === undefined) {
    console.log(JSON.stringify(message))
    process.exit(0)
  }
  process.send(message, () => process.exit(0))
}
