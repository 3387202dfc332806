import type { Account } from './run-as.js'

export type Role = 'primary' | 'replica'

/** Where a node stands in its cluster, and what is laid down for it before it starts. */
export interface NodePlace {
  readonly name: string
  readonly shardIndex: number
  readonly role: Role
  /** Unique in the cluster, from 1. */
  readonly id: number
  readonly folder: string
  readonly port: number
  readonly account: Account | undefined
  readonly logsStatements: boolean
  /** More settings for the server, in its own words (`max_connections`), over the tool's. */
  readonly settings: Readonly<Record<string, string | number>>
}
