import { unpackedChromiumFolder } from './find-chromium.js'
import { isOnPath, run } from './run.js'
import { isRoot, systemServersHidden } from './search.js'
import { unpackPackages } from './unpack.js'

/**
 * Gets the browser from the distribution's packages. Root installs it; others, who cannot, unpack it
 * into their cache. False where there is no apt.
 */
export function installChromium(say: (line: string) => void): boolean {
  if (!isOnPath('apt-get')) return false
  if (isRoot() && !systemServersHidden()) installAsRoot(say)
  else unpack(say)
  return true
}

function installAsRoot(say: (line: string) => void): void {
  say('Chromium is not installed: installing it with apt-get.')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update', '-qq'], { env })
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { env })
}

function unpack(say: (line: string) => void): void {
  const folder = unpackedChromiumFolder()
  say(`Chromium is not installed: unpacking it into ${folder}, with apt-get.`)
  // The program's data are found beside it only, also where the system has them elsewhere.
  unpackPackages('chromium', folder, () => ['chromium', 'chromium-common'])
}
