import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a process of its own said, line by line, and how it ended. */
export interface ChildEnd {
  readonly messages: readonly unknown[]
  readonly code: number | null
  /** Milliseconds from its last word to its end. */
  readonly ms: number
  readonly errors: string
}

/**
 * Runs a compiled file of this folder in a process of its own. It is told its task by its argument, and
 * writes its results as lines of JSON.
 *
 * @param onMessage - is given each result as it comes, with what answers the child and what kills it
 */
export const runChild = (
  file: string,
  task: object,
  {
    env = {},
    onMessage = () => undefined,
    timeoutMs = 15_000,
  }: {
    env?: Record<string, string>
    onMessage?: (message: unknown, answer: (line: string) => void, kill: () => void) => void
    timeoutMs?: number
  } = {},
): Promise<ChildEnd> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', fileURLToPath(new URL(file, import.meta.url)), JSON.stringify(task)],
      { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] },
    )
    const messages: unknown[] = []
    let errors = ''
    let text = ''
    let lastWord = performance.now()
    const late = setTimeout(() => {
      child.kill('SIGKILL')
      reject(
        new Error(
          `${file} did not end in ${timeoutMs} ms; it said ${JSON.stringify(messages)}\n${errors}`,
        ),
      )
    }, timeoutMs)
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const message: unknown = JSON.parse(text.slice(0, end))
        text = text.slice(end + 1)
        lastWord = performance.now()
        messages.push(message)
        onMessage(
          message,
          (line) => child.stdin.write(`${line}\n`),
          () => child.kill('SIGKILL'),
        )
      }
    })
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(late)
      resolve({ messages, code, ms: performance.now() - lastWord, errors })
    })
  })

/** What a child writes for `runChild`. */
export const say = (message: object): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

/** The task that `runChild` gave. */
export const ownTask = <T>(): T => JSON.parse(process.argv[2] ?? '{}') as T
