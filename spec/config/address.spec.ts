import { expect } from 'chai'
import { addressOf } from '../../lib/config/server.js'

describe('the address of a server', () => {
  for (const [title, engine, connection, expected] of [
    [
      'is its host, port and database',
      'mysql',
      { host: 'br-1', port: 3307, database: 'shop', username: 'app', password: 'secret' },
      { host: 'br-1', port: 3307, database: 'shop' },
    ],
    ['has the port of its engine', 'postgres', { host: 'br-1' }, { host: 'br-1', port: 5432 }],
    ['is this machine where none is named', 'mariadb', {}, { host: 'localhost', port: 3306 }],
    [
      'is what a URL names',
      'postgres',
      { url: 'postgres://app:secret@br-1:5433/shop?application_name=x' },
      { host: 'br-1', port: 5433, database: 'shop' },
    ],
    [
      'is the path of a socket, which has no port',
      'mysql',
      { socketPath: '/run/mysqld.sock', database: 'shop' },
      { host: '/run/mysqld.sock', database: 'shop' },
    ],
    [
      'is what "extra" says, as for the driver',
      'mysql',
      { host: 'br-1', extra: { host: 'br-9' } },
      { host: 'br-9', port: 3306 },
    ],
    [
      'is the master of TypeORM’s own replication',
      'mysql',
      { replication: { master: { host: 'br-1', password: 'secret' }, slaves: [] } },
      { host: 'br-1', port: 3306 },
    ],
    [
      'is a file',
      'better-sqlite3',
      { database: 'shop.db', key: 'secret' },
      { database: 'shop.db' },
    ],
    ['is a file of sql.js', 'sqljs', { location: 'shop.db' }, { database: 'shop.db' }],
    ['is none in memory', 'sqljs', {}, {}],
    ['is none for an engine that is not known', 'oracle', { host: 'br-1' }, {}],
    ['is none for a server that is not configured', 'mysql', undefined, {}],
  ] as const)
    it(title, () => {
      expect(addressOf(engine, connection)).to.deep.equal({
        engine,
        host: undefined,
        port: undefined,
        database: undefined,
        ...expected,
      })
    })
})
