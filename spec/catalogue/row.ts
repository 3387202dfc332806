import type { EngineName } from '../support/engines/endpoint.js'
import type { World } from './world.js'

/**
 * The servers of the catalogue: shards master (the default), brazil and canada, each alone, and russia
 * with two replicas in the group `fast` and one in the group `slow`. `russia/*` is any replica of
 * russia, `russia/fast` any of that group: which of them answers is the balancer's choice.
 */
export const serverNames = [
  'master',
  'brazil',
  'canada',
  'russia',
  'russia/*',
  'russia/fast',
  'russia/slow',
] as const
export type ServerName = (typeof serverNames)[number]

/** Statements in words (`insert client`, `begin`), by the server that has them in its own log. */
export type Expected = Readonly<Partial<Record<ServerName, readonly string[]>>>

/** One behaviour of Octopus's own specs, as it is here. */
export interface Row {
  /** Its number in the catalogue: `M27`; with a variant where one number has several: `A4 one-to-many`. */
  readonly number: string
  /** What happens, in words of TypeORM. */
  readonly title: string
  /** Does it, and checks values. Servers are watched from its first statement to its end. */
  readonly program: (world: World) => unknown
  /** Which statements reach which server. Never empty, and different on each server that it names. */
  readonly expected: Expected
  /** The engines that have what it is about; all by default. */
  readonly engines?: readonly EngineName[]
}

/**
 * @param number the behaviour's number
 * @param title what happens
 * @param expected which statements reach which server
 */
export const row = (
  number: string,
  title: string,
  expected: Expected,
  program: Row['program'],
  engines?: readonly EngineName[],
): Row => ({ number, title, program, expected, ...(engines && { engines }) })
