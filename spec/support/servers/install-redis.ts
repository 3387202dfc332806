import { unpackedRedisFolder } from './find-redis.js'
import { isOnPath } from './run.js'
import { unpackPackages } from './unpack.js'

/**
 * Gets the server from the distribution's packages. Root unpacks it too: to install the package
 * would start a service. False where there is no apt.
 */
export function installRedis(say: (line: string) => void): boolean {
  if (!isOnPath('apt-get')) return false
  const folder = unpackedRedisFolder()
  say(`Redis is not installed: unpacking its server into ${folder}, with apt-get.`)
  // The program itself is in the package of the tools.
  unpackPackages('redis', folder, () => ['redis-server', 'redis-tools'])
  return true
}
