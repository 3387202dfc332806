import { withoutPasswords } from '../exit.js'
import { type AddCommand, type Session, UsageError } from '../frame.js'

/** Name of the environment variable for the token: on a command line, others of the machine see it. */
const tokenVariable = 'OCTOPUS_INSPECTOR_TOKEN'

interface InspectOptions {
  readonly port: string
  readonly host: string
  readonly name: readonly string[]
  readonly sql?: boolean
  readonly parameters?: boolean
}

const portOf = (text: string): number => {
  const port = Number(text)
  if (text.trim() === '' || !Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`--port ${text}: must be a whole number from 0 to 65535.`)
  return port
}

/** The longest that a timer of Node.js takes. */
const longestMs = 2 ** 31 - 1

/** Settles when it is interrupted, and keeps the process alive until then. */
const interrupted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const hold = setInterval(() => undefined, longestMs)
    const end = (): void => {
      clearInterval(hold)
      resolve()
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })

/** Initialises the data source if that is possible: one that cannot start is the one to be looked at. */
const initialize = async (session: Session): Promise<void> => {
  try {
    await session.openDataSource()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    session.output.warn(`not initialised: ${withoutPasswords(why)}`)
  }
}

/** `octopus inspect`: a page with the servers of a data source, and what this process sends to them. */
export const addInspect: AddCommand = (program, frame) => {
  program
    .command('inspect')
    .description('serve a page that shows shards, servers and their health, until interrupted')
    .option('--port <port>', 'to listen on; 0 is any that is free', '0')
    .option(
      '--host <address>',
      `to listen on; others than loopback need ${tokenVariable}`,
      '127.0.0.1',
    )
    .option('--name <names...>', 'names by which browsers may ask for it, beside the address', [])
    .option('--sql', 'show SQL, with its placeholders')
    .option('--parameters', 'show the values of parameters')
    .addHelpText(
      'after',
      `
It shows the routes of its own process, such as those of what the data source file starts. To see those of
an application, let the application serve the page: await db.octopus.inspector()`,
    )
    .action(
      frame.finishingAction(async (session, options: InspectOptions) => {
        const { host, name: names, sql, parameters } = options
        const port = portOf(options.port)
        const db = await session.loadDataSource()
        const token = session.env[tokenVariable] || undefined
        const inspector = await db.octopus.inspector({ host, port, names, token, sql, parameters })
        try {
          const { url } = inspector
          session.output.event({ url }, (paper) => paper.line(`Inspector: ${url} (Ctrl+C ends it)`))
          await Promise.race([initialize(session), interrupted(session.signal)])
          await interrupted(session.signal)
        } finally {
          await inspector.close()
        }
      }),
    )
}
