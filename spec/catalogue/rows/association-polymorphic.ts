import { In } from 'typeorm'
import { Client, Comment } from '../entities/associations.js'
import { type Association, homeOf, inTransaction } from './association-kind.js'

const ownedBy = ({ id }: Client) => ({ ownerType: 'client', ownerId: id })
const nobody = { ownerType: null, ownerId: null }

/**
 * The members of the collection name their owner by columns that TypeORM knows no relation of. So it
 * cannot tell whose they are: what is about the owner's comments as such is done in its shard's scope.
 */
export const polymorphic: Association<Client, Comment> = {
  kind: 'polymorphic',
  Owner: Client,
  Child: Comment,
  words: {
    load: ['select assoc_comment'],
    query: ['select assoc_comment'],
    findAndCount: ['select assoc_comment', 'select assoc_comment'],
    one: ['select assoc_comment'],
    none: ['select assoc_comment'],
    ids: ['select assoc_comment'],
    owners: ['select assoc_comment', 'select assoc_client'],
    noOwners: ['select assoc_comment'],
    replaceOwner: ['select assoc_comment', ...inTransaction('update assoc_comment')],
    setIds: ['update assoc_comment'],
    saveIds: [
      'select assoc_comment',
      'select assoc_comment',
      ...inTransaction('update assoc_comment', 'update assoc_comment'),
    ],
    add: ['select assoc_comment', ...inTransaction('update assoc_comment')],
    build: inTransaction('insert assoc_comment'),
    create: inTransaction('insert assoc_comment'),
    refusedCreate: ['begin', 'insert assoc_comment', 'rollback'],
    unlinkAll: ['update assoc_comment'],
    removeOne: ['select assoc_comment', ...inTransaction('update assoc_comment')],
    destroyOne: ['select assoc_comment', ...inTransaction('delete assoc_comment')],
    clear: [
      'select assoc_comment',
      'select assoc_comment',
      ...inTransaction('update assoc_comment'),
    ],
  },
  criteria: (owner) => ownedBy(owner),
  at: (db, owner, work) => db.using(homeOf(db, owner), work),
  load(db, owner) {
    return this.at(db, owner, () => db.manager.findBy(Comment, ownedBy(owner)))
  },
  async ids(db, owner) {
    const comments = await this.at(db, owner, () =>
      db.manager.find(Comment, { select: { id: true }, where: ownedBy(owner) }),
    )
    return comments.map(({ id }) => id)
  },
  owners(db, child) {
    return this.at(db, child, async () => {
      const { ownerType, ownerId } = await db.manager.findOneByOrFail(Comment, { id: child.id })
      return ownerType === 'client' ? db.manager.findBy(Client, { id: ownerId ?? 0 }) : []
    })
  },
  replaceOwner: (db, child, owner) => db.manager.save(Object.assign(child, ownedBy(owner))),
  setIds(db, owner, ids) {
    return this.at(db, owner, () => db.manager.update(Comment, { id: In(ids) }, ownedBy(owner)))
  },
  async saveIds(db, owner, ids) {
    const comments = await this.at(db, owner, () => db.manager.findBy(Comment, { id: In(ids) }))
    await db.manager.save(comments.map((comment) => Object.assign(comment, ownedBy(owner))))
  },
  add: (db, owner, child) => db.manager.save(Object.assign(child, ownedBy(owner))),
  build: (db, owner, child) =>
    db.manager.save(db.octopus.bindShard(Object.assign(child, ownedBy(owner)), homeOf(db, owner))),
  create(db, owner, child) {
    return this.at(db, owner, () => db.manager.save(Object.assign(child, ownedBy(owner))))
  },
  unlinkAll(db, owner) {
    return this.at(db, owner, () => db.manager.update(Comment, ownedBy(owner), nobody))
  },
  removeOne: (db, _owner, child) => db.manager.save(Object.assign(child, nobody)),
  async clear(db, owner) {
    const comments = await this.load(db, owner)
    await db.manager.save(comments.map((comment) => Object.assign(comment, nobody)))
  },
}
