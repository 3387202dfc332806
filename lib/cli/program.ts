import { Command, CommanderError } from 'commander'
import { commands } from './commands.js'
import { type AddCommand, Frame, type GlobalOptions, exitCodes } from './frame.js'
import { dataSourceVariable } from './session.js'
import type { Surroundings } from './surroundings.js'
import { version } from './version.js'

const after = `
Exit codes: ${exitCodes.ok} all is well, ${exitCodes.failed} something is wrong or failed, ${exitCodes.usage} called wrongly, ${exitCodes.interrupted} interrupted.`

/** The program without its commands. */
const emptyProgram = ({ stdout, stderr }: Surroundings): Command =>
  new Command('octopus')
    .description(
      'Looks at, and works on, the shards and replicas of a wrapped TypeORM data source.',
    )
    .option(
      '-d, --data-source <file>',
      `module that exports what octopus() returned (or the environment's ${dataSourceVariable})`,
    )
    .option('--json', 'print JSON for programs')
    .option('--no-color', 'print without colours, as where stdout is not a terminal')
    .option('--verbose', 'print the stack of an error')
    .version(version)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
    })
    .addHelpText('after', after)
    .showHelpAfterError('(octopus --help tells more)')
    // Commander would end the process.
    .exitOverride()

/**
 * Runs the command line.
 *
 * @param args - without the names of Node.js and of the script
 * @param added - the commands
 * @returns the exit code; see `exitCodes`
 */
export const runCommandLine = async (
  args: readonly string[],
  surroundings: Surroundings,
  added: readonly AddCommand[] = commands,
): Promise<number> => {
  const program = emptyProgram(surroundings)
  const frame = new Frame(surroundings, () => program.opts<GlobalOptions>())
  for (const add of added) add(program, frame)
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
  return frame.exitCode
}
