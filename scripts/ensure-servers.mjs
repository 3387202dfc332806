// Runs before the specs, which need real database servers: finds them, or gets them, or says how.
// The finding is shared with the specs, so they have to be compiled first.
import { ensureServers } from '../.build/spec/support/servers/ensure-servers.js'

try {
  ensureServers((line) => console.log(line))
} catch (error) {
  console.error(error.message)
  if (error.cause) console.error(`\nWhat failed: ${error.cause.message}`)
  process.exit(1)
}
