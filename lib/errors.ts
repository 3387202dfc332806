/** Every error that the library makes. `docs/errors.md` has an entry for each code. */
export * from './errors/base.js'
export * from './errors/setup.js'
export * from './errors/connections.js'
export * from './errors/route.js'
export * from './errors/migrations.js'
export * from './errors/schema.js'
