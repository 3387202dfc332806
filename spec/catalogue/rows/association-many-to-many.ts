import { Permission, Role } from '../entities/associations.js'
import { type Association, inTransaction, named } from './association-kind.js'

/** The members of the collection of a many-to-many relation are linked by rows of a table of its own. */
export const manyToMany: Association<Role, Permission> = {
  kind: 'many-to-many',
  Owner: Role,
  Child: Permission,
  words: {
    load: ['select assoc_permission'],
    query: ['select assoc_permission'],
    findAndCount: ['select assoc_permission', 'select assoc_permission', 'select assoc_permission'],
    one: ['select assoc_permission', 'select assoc_permission'],
    none: ['select assoc_permission'],
    ids: ['select assoc_role', 'select assoc_permission'],
    owners: ['select assoc_role'],
    noOwners: ['select assoc_role'],
    replaceOwner: [
      'select assoc_permission',
      'select assoc_role',
      ...inTransaction('insert assoc_role_permission', 'delete assoc_role_permission'),
    ],
    setIds: ['insert assoc_role_permission'],
    saveIds: [
      'select assoc_role',
      'select assoc_permission',
      'select assoc_permission',
      ...inTransaction('insert assoc_role_permission'),
    ],
    add: ['insert assoc_role_permission'],
    build: [
      'select assoc_role',
      'select assoc_permission',
      ...inTransaction('insert assoc_permission', 'insert assoc_role_permission'),
    ],
    create: inTransaction('insert assoc_permission', 'insert assoc_role_permission'),
    refusedCreate: ['begin', 'insert assoc_permission', 'rollback'],
    unlinkAll: ['select assoc_permission', 'delete assoc_role_permission'],
    removeOne: ['delete assoc_role_permission'],
    destroyOne: [
      'select assoc_permission',
      'select assoc_role',
      ...inTransaction('delete assoc_role_permission', 'delete assoc_permission'),
    ],
    clear: [
      'select assoc_role',
      'select assoc_permission',
      ...inTransaction('delete assoc_role_permission'),
    ],
  },
  criteria: (owner) => ({ roles: owner }),
  at: (_db, _owner, work) => work(),
  load: (db, owner) =>
    db.createQueryBuilder().relation(Role, 'permissions').of(owner).loadMany<Permission>(),
  async ids(db, owner) {
    const { permissions } = await db.manager.findOneOrFail(Role, {
      where: owner,
      loadRelationIds: { relations: ['permissions'] },
    })
    return permissions as unknown as number[]
  },
  owners: (db, child) =>
    db.createQueryBuilder().relation(Permission, 'roles').of(child).loadMany<Role>(),
  replaceOwner: (db, child, owner) => db.manager.save(Object.assign(child, { roles: [owner] })),
  setIds: (db, owner, ids) =>
    db.createQueryBuilder().relation(Role, 'permissions').of(owner).addAndRemove(ids, []),
  saveIds: (db, owner, ids) =>
    db.manager.save(
      Object.assign(owner, { permissions: ids.map((id) => named(Permission, { id })) }),
    ),
  add: (db, owner, child) =>
    db.createQueryBuilder().relation(Role, 'permissions').of(owner).add(child),
  build: (db, owner, child) => db.manager.save(Object.assign(owner, { permissions: [child] })),
  create: (db, owner, child) => db.manager.save(Object.assign(child, { roles: [owner] })),
  async unlinkAll(db, owner) {
    const linked = await this.load(db, owner)
    await db.createQueryBuilder().relation(Role, 'permissions').of(owner).remove(linked)
  },
  removeOne: (db, owner, child) =>
    db.createQueryBuilder().relation(Role, 'permissions').of(owner).remove(child),
  clear: (db, owner) => db.manager.save(Object.assign(owner, { permissions: [] })),
}
