import { type FindOptionsWhere, In } from 'typeorm'
import { Client, Item } from '../entities/associations.js'
import { type Association, inTransaction, named } from './association-kind.js'

/** The members of the collection name their owner in a column. */
export const oneToMany: Association<Client, Item> = {
  kind: 'one-to-many',
  Owner: Client,
  Child: Item,
  words: {
    load: ['select assoc_item'],
    query: ['select assoc_item'],
    findAndCount: ['select assoc_item', 'select assoc_item', 'select assoc_item'],
    one: ['select assoc_item', 'select assoc_item'],
    none: ['select assoc_item'],
    ids: ['select assoc_client', 'select assoc_item'],
    owners: ['select assoc_client'],
    noOwners: ['select assoc_client'],
    replaceOwner: ['select assoc_item', ...inTransaction('update assoc_item')],
    setIds: ['update assoc_item'],
    saveIds: [
      'select assoc_client',
      'select assoc_item',
      'select assoc_item',
      ...inTransaction('update assoc_item', 'update assoc_item'),
    ],
    add: ['update assoc_item'],
    build: ['select assoc_client', 'select assoc_item', ...inTransaction('insert assoc_item')],
    create: inTransaction('insert assoc_item'),
    refusedCreate: ['begin', 'insert assoc_item', 'rollback'],
    unlinkAll: ['update assoc_item'],
    removeOne: ['update assoc_item'],
    destroyOne: ['select assoc_item', ...inTransaction('delete assoc_item')],
    clear: ['select assoc_client', 'select assoc_item', ...inTransaction('update assoc_item')],
  },
  criteria: (owner) => ({ client: owner }),
  at: (_db, _owner, work) => work(),
  load: (db, owner) => db.createQueryBuilder().relation(Client, 'items').of(owner).loadMany<Item>(),
  async ids(db, owner) {
    const { items } = await db.manager.findOneOrFail(Client, {
      where: owner as FindOptionsWhere<Client>,
      loadRelationIds: { relations: ['items'] },
    })
    return items as unknown as number[]
  },
  async owners(db, child) {
    const client = await db
      .createQueryBuilder()
      .relation(Item, 'client')
      .of(child)
      .loadOne<Client>()
    return client ? [client] : []
  },
  replaceOwner: (db, child, owner) => db.manager.save(Object.assign(child, { client: owner })),
  setIds: (db, owner, ids) => db.manager.update(Item, { id: In(ids) }, { client: owner }),
  saveIds: (db, owner, ids) =>
    db.manager.save(Object.assign(owner, { items: ids.map((id) => named(Item, { id })) })),
  add: (db, owner, child) => db.createQueryBuilder().relation(Client, 'items').of(owner).add(child),
  build: (db, owner, child) => db.manager.save(Object.assign(owner, { items: [child] })),
  create: (db, owner, child) => db.manager.save(Object.assign(child, { client: owner })),
  unlinkAll: (db, owner) => db.manager.update(Item, { client: owner }, { client: null }),
  removeOne: (db, owner, child) =>
    db.createQueryBuilder().relation(Client, 'items').of(owner).remove(child),
  clear: (db, owner) => db.manager.save(Object.assign(owner, { items: [] })),
}
