/** To be spread into the options of a TypeORM data source. */
export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
  readonly database: string
}

/** The user that specs connect as; it cannot write to a server that is read-only. */
export const application = { username: 'app', password: 'app', database: 'app' } as const
