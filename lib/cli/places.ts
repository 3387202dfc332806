import type { ServerAddress } from '../index.js'

/** Where a server is, in a few characters: `br-1:3306/shop`, or a file. */
export const placeText = ({ host, port, database }: ServerAddress): string => {
  if (host === undefined) return database ?? 'in memory'
  const server = port === undefined ? host : `${host}:${port}`
  return database === undefined ? server : `${server}/${database}`
}
