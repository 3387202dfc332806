import { BlockList, isIP } from 'node:net'
import { ConfigError, type ConfigProblem } from '../index.js'
import type { InspectorOptions } from './options.js'

/** What was asked for, with the defaults, and checked. */
export interface InspectorSettings {
  readonly port: number
  readonly host: string
  readonly names: readonly string[]
  readonly token: string | undefined
  readonly sql: boolean
  readonly parameters: boolean
  readonly keep: number
}

const shortestToken = 16
/** A page that is opened is sent all that is kept. */
const mostKept = 10_000

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether only this machine can reach an address. */
export const isLoopback = (host: string): boolean => {
  const family = isIP(host)
  return family === 0
    ? host.toLowerCase() === 'localhost'
    : loopback.check(host, family === 6 ? 'ipv6' : 'ipv4')
}

/** @throws ConfigError with everything that is wrong */
export const settingsOf = (options: InspectorOptions): InspectorSettings => {
  const settings: InspectorSettings = {
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    names: options.names ?? [],
    token: options.token,
    sql: options.sql ?? false,
    parameters: options.parameters ?? false,
    keep: options.keep ?? 0,
  }
  const problems = problemsOf(settings)
  if (problems.length > 0) throw new ConfigError(problems)
  return settings
}

const isWhole = (value: number, most: number): boolean =>
  Number.isInteger(value) && value >= 0 && value <= most

const problemsOf = ({ port, host, token, keep }: InspectorSettings): ConfigProblem[] => {
  const problems: ConfigProblem[] = []
  if (!isWhole(port, 65_535))
    problems.push({ path: 'inspector.port', message: 'must be a whole number from 0 to 65535.' })
  if (!isWhole(keep, mostKept))
    problems.push({ path: 'inspector.keep', message: `must be a whole number to ${mostKept}.` })
  if (token === undefined && !isLoopback(host))
    problems.push({
      path: 'inspector.host',
      message: `${host} can be reached from other machines. Give a token, or take 127.0.0.1 and an SSH tunnel.`,
    })
  if (token !== undefined && token.length < shortestToken)
    problems.push({
      path: 'inspector.token',
      message: `must have at least ${shortestToken} characters: whoever guesses it sees all routes.`,
    })
  return problems
}
