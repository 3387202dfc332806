import { type Expected, type ServerName, serverNames } from './row.js'

/** Set for the run that must fail: every row then expects its statements on other servers. */
export const permutedVariable = 'OCTOPUS_CATALOGUE_PERMUTED'

/** A permutation of the servers that leaves none in its place. */
const elsewhere: Readonly<Record<ServerName, ServerName>> = {
  master: 'brazil',
  brazil: 'canada',
  canada: 'russia',
  russia: 'russia/*',
  'russia/*': 'master',
  'russia/fast': 'russia/slow',
  'russia/slow': 'russia/fast',
}

/** The same statements, each list on another server. */
export const permuted = (expected: Expected): Expected =>
  Object.fromEntries(
    serverNames.flatMap((name) => {
      const words = expected[name]
      return words === undefined ? [] : [[elsewhere[name], words]]
    }),
  )
