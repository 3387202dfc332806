import { expect } from 'chai'
import { connectionOf, main, problemsOf, resolved } from './support.js'

const namingStrategy = { kind: 'naming strategy' }
const mysql = {
  ...main,
  port: 3307,
  socketPath: undefined,
  charset: 'utf8mb4',
  isolationLevel: 'READ COMMITTED',
  logging: true,
  namingStrategy,
  poolSize: 20,
  synchronize: true,
  migrationsRun: true,
  dropSchema: true,
  entities: ['x'],
  subscribers: ['x'],
  migrations: ['x'],
  extra: { connectionLimit: 3, socketPath: '/run/main.sock', host: 'x' },
}

describe('a shard', () => {
  it('of the same engine inherits everything but the server and what is done once', () => {
    const connection = connectionOf(resolved({ shards: { a: { host: 'a' } } }, mysql), 'a')
    expect(connection).to.deep.equal({
      type: 'mysql',
      host: 'a',
      username: 'app',
      password: 'secret-of-main',
      database: 'shop',
      charset: 'utf8mb4',
      isolationLevel: 'READ COMMITTED',
      logging: true,
      namingStrategy,
      poolSize: 20,
      extra: { connectionLimit: 3 },
    })
  })

  it('of another engine inherits what means the same everywhere', () => {
    const config = resolved(
      { shards: { p: { type: 'postgres', host: 'p' }, s: { type: 'sqljs' } } },
      mysql,
    )
    expect(connectionOf(config, 'p')).to.deep.equal({
      type: 'postgres',
      host: 'p',
      logging: true,
      namingStrategy,
      poolSize: 20,
    })
    expect(connectionOf(config, 's')).to.deep.equal({
      type: 'sqljs',
      logging: true,
      namingStrategy,
    })
  })

  it('counts mysql and mariadb as one engine, and keeps its own type', () => {
    const connection = connectionOf(
      resolved({ shards: { a: { type: 'mariadb', host: 'a' } } }),
      'a',
    )
    expect(connection).to.include({ type: 'mariadb', username: 'app', database: 'shop' })
  })

  it('overrides what it gives itself, as a whole', () => {
    const shards = {
      a: { host: 'a', username: 'own', extra: { idleTimeout: 1 }, synchronize: true },
    }
    const connection = connectionOf(resolved({ shards }, mysql), 'a')
    expect(connection).to.deep.include({
      username: 'own',
      extra: { idleTimeout: 1 },
      synchronize: true,
    })
  })

  it('inherits what the URL of the DataSource says', () => {
    const defaults = {
      type: 'postgres',
      url: 'postgres://bob:p%40ss@main:6000/shop?sslmode=require',
    }
    const connection = connectionOf(resolved({ shards: { a: { host: 'a' } } }, defaults), 'a')
    expect(connection).to.deep.equal({
      type: 'postgres',
      host: 'a',
      username: 'bob',
      password: 'p@ss',
      database: 'shop',
      ssl: true,
    })
  })

  it('accepts a DataSource whose URL was taken apart and left in', () => {
    const defaults = { ...main, url: 'mysql://app:secret-of-main@main/shop?charset=x' }
    const connection = connectionOf(resolved({ shards: { a: { host: 'a' } } }, defaults), 'a')
    expect(connection).to.include({ host: 'a', username: 'app' }).and.not.have.property('url')
  })

  it('does not inherit a file, nor what saves to it', () => {
    const autoSaveCallback = (): void => undefined
    const defaults = {
      type: 'sqljs',
      location: 'main.db',
      autoSave: true,
      autoSaveCallback,
      logging: true,
    }
    const config = resolved({ shards: { a: {}, b: { location: 'b.db' } } }, defaults)
    expect(connectionOf(config, 'a')).to.deep.equal({ type: 'sqljs', logging: true })
    expect(connectionOf(config, 'b')).to.deep.equal({
      type: 'sqljs',
      logging: true,
      location: 'b.db',
      autoSave: true,
    })
  })
})

describe('a replica', () => {
  it('inherits from its primary, and that from the DataSource', () => {
    const shards = {
      a: { host: 'a', port: 1, username: 'own', synchronize: true, replicas: [{ host: 'b' }] },
    }
    const [, shard] = resolved({ shards, replicas: [{ host: 'r' }] }, mysql).shards
    expect(shard?.replicas[0]?.connection)
      .to.include({ type: 'mysql', host: 'b', username: 'own', password: 'secret-of-main' })
      .and.not.have.any.keys('port', 'synchronize', 'entities')
  })

  it("inherits the credentials in its primary's URL, and not the server", () => {
    const shards = { a: { url: 'mysql://u:p@a:1/d', replicas: [{ host: 'b' }] } }
    const [, shard] = resolved({ shards }).shards
    expect(shard?.primary.connection)
      .to.include({ host: 'a', port: 1 })
      .and.not.have.property('url')
    expect(shard?.replicas[0]?.connection).to.deep.equal({
      type: 'mysql',
      username: 'u',
      password: 'p',
      database: 'd',
      host: 'b',
    })
  })

  it("has its primary's engine", () => {
    const replicas = [{ type: 'postgres', host: 'b' }]
    expect(problemsOf({ shards: { a: { type: 'mysql', host: 'a', replicas } } })).to.deep.equal([
      "shards.a.replicas[0].type: is postgres, but its primary is mysql; a replica has its primary's engine: remove it",
    ])
  })
})

describe('a URL', () => {
  const parts = (url: string, type = 'postgres') =>
    connectionOf(
      resolved({ shards: { a: { type, url } } }, { type, host: 'm', username: 'i' }),
      'a',
    )

  it('is taken apart, and leaves out what it does not state', () => {
    expect(parts('postgresql://h')).to.deep.equal({ type: 'postgres', username: 'i', host: 'h' })
    expect(parts('mysql://a:b:c@d@h:1/x', 'mysql')).to.deep.include({
      username: 'a',
      password: 'b:c@d',
      host: 'h',
      port: 1,
      database: 'x',
    })
    expect(parts('postgres://u:@[::1]:7/x%20y?application_name=n&sslmode=no-verify')).to.deep.equal(
      {
        type: 'postgres',
        username: 'u',
        password: '',
        host: '::1',
        port: 7,
        database: 'x y',
        applicationName: 'n',
        ssl: { rejectUnauthorized: false },
      },
    )
    expect(parts('postgres://h?ssl=0')).to.include({ host: 'h', ssl: false })
    expect(parts('postgres://h/?sslmode=disable&ssl=true')).to.include({ ssl: true })
  })

  for (const [title, url, message] of [
    ['of another engine', 'mysql://u:hunter2@h/d', 'begins with postgres://'],
    ['with a bare slash in its password', 'postgres://u:hun/ter2@h/d', 'cannot be read'],
    ['with several hosts', 'postgres://u:hunter2@h,i/d', 'cannot be read'],
    ['with a broken escape', 'postgres://u:hunter2%@h/d', 'cannot be read'],
    [
      'with a parameter that would be lost',
      'postgres://u:hunter2@h/d?options=hunter2',
      'a parameter',
    ],
    ['without a scheme', 'hunter2', 'begins with postgres://'],
  ] as const)
    it(`${title} is refused, without being shown`, () => {
      const [problem, ...others] = problemsOf({ shards: { a: { type: 'postgres', url } } })
      expect(problem)
        .to.match(/^shards\.a\.url: /)
        .and.include(message)
      expect(problem).not.to.include('hunter').and.not.include('ter2')
      expect(others).to.deep.equal([])
    })

  it('stands alone: what it says is not said beside it', () => {
    const url = 'mysql://u:p@h/d'
    expect(problemsOf({ shards: { a: { url, host: 'x', port: 1, password: 'q' } } })).to.deep.equal(
      [
        'shards.a.host: names a server, and so does "url" beside it (does a merge key bring one of them along?); keep one',
        'shards.a.port: names a server, and so does "url" beside it (does a merge key bring one of them along?); keep one',
        'shards.a.password: is in "url" too; keep one',
      ],
    )
  })
})
