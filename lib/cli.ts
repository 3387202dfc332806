#!/usr/bin/env node
import { runCommandLine } from './cli/program.js'
import { type Surroundings, processSurroundings } from './cli/surroundings.js'

/** How long what a data source file has left open may keep the process, in milliseconds. */
const lingerMs = 1000

const main = async (surroundings: Surroundings): Promise<void> => {
  // `octopus … | head` closes the pipe: nobody reads what is still to come.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit()
      throw error
    })
  process.exitCode = await runCommandLine(process.argv.slice(2), surroundings)
  setTimeout(() => process.exit(), lingerMs).unref()
}

void main(processSurroundings())
