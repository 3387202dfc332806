import type { ConnectionProxy } from '../../../lib/index.js'
import { Assignment, Programmer, Project } from '../entities/associations.js'
import { type Association, inTransaction, named } from './association-kind.js'

/** Saves an owner with its collection, and takes it off again: TypeORM would take it for criteria. */
const saveWith = async (
  db: ConnectionProxy,
  owner: Programmer,
  assignments: Assignment[],
): Promise<void> => {
  await db.manager.save(Object.assign(owner, { assignments }))
  delete owner.assignments
}

const assigned = (programmer: Programmer, project: Project): Assignment =>
  Object.assign(new Assignment(), { duty: 'lead', programmer, project })

const insertedForOne = ['select assoc_project', ...inTransaction('insert assoc_assignment')]

/** The members of the collection are linked by entities of their own, which say more than the link. */
export const through: Association<Programmer, Project> = {
  kind: 'through',
  Owner: Programmer,
  Child: Project,
  words: {
    load: ['select assoc_project'],
    query: ['select assoc_project'],
    findAndCount: ['select assoc_project', 'select assoc_project', 'select assoc_project'],
    one: ['select assoc_project', 'select assoc_project'],
    none: ['select assoc_project'],
    ids: ['select assoc_assignment'],
    owners: ['select assoc_programmer'],
    noOwners: ['select assoc_programmer'],
    replaceOwner: [
      'select assoc_project',
      'select assoc_assignment',
      ...inTransaction('insert assoc_assignment', 'delete assoc_assignment'),
    ],
    setIds: ['insert assoc_assignment'],
    saveIds: [...insertedForOne, ...insertedForOne],
    add: ['insert assoc_assignment'],
    build: [
      'select assoc_programmer',
      'select assoc_assignment',
      ...inTransaction('insert assoc_project', 'insert assoc_assignment'),
    ],
    create: inTransaction('insert assoc_project', 'insert assoc_assignment'),
    refusedCreate: ['begin', 'insert assoc_project', 'rollback'],
    unlinkAll: ['delete assoc_assignment'],
    removeOne: ['delete assoc_assignment'],
    destroyOne: ['select assoc_project', ...inTransaction('delete assoc_project')],
    clear: [
      'select assoc_programmer',
      'select assoc_assignment',
      ...inTransaction('delete assoc_assignment'),
    ],
  },
  criteria: (owner) => ({ assignments: { programmer: owner } }),
  at: (_db, _owner, work) => work(),
  load: (db, owner) => db.manager.findBy(Project, { assignments: { programmer: owner } }),
  async ids(db, owner) {
    const assignments = await db.manager.find(Assignment, {
      where: { programmer: owner },
      loadRelationIds: { relations: ['project'] },
    })
    return assignments.map(({ project }) => project as unknown as number)
  },
  owners: (db, child) => db.manager.findBy(Programmer, { assignments: { project: child } }),
  async replaceOwner(db, child, owner) {
    await db.manager.save(Object.assign(child, { assignments: [assigned(owner, child)] }))
    delete child.assignments
  },
  setIds: (db, owner, ids) =>
    db.manager.insert(
      Assignment,
      ids.map((id) => ({ duty: 'lead', programmer: owner, project: { id } })),
    ),
  async saveIds(db, owner, ids) {
    for (const id of ids) await db.manager.save(assigned(owner, named(Project, { id })))
  },
  add: (db, owner, child) => db.manager.insert(Assignment, assigned(owner, child)),
  build: (db, owner, child) => saveWith(db, owner, [assigned(owner, child)]),
  create: (db, owner, child) => db.manager.save(assigned(owner, child)),
  unlinkAll: (db, owner) => db.manager.delete(Assignment, { programmer: owner }),
  removeOne: (db, owner, child) =>
    db.manager.delete(Assignment, { programmer: owner, project: child }),
  clear: (db, owner) => saveWith(db, owner, []),
}
