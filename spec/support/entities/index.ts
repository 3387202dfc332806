import { Author, Post, Remark, Tag } from './blog.js'
import { Account, Invoice, Note, Place, ProductSchema } from './shop.js'

export { Author, Post, Remark, Tag } from './blog.js'
export {
  Account,
  Invoice,
  InvoiceAudit,
  Note,
  Place,
  type Product,
  ProductSchema,
  lastAudit,
} from './shop.js'

/** All entities of the specs: classes, schemas, a tree, a BaseEntity, lazy relations. */
export const entities = [Author, Post, Remark, Tag, Account, Place, ProductSchema, Invoice, Note]

/** Tables with generated ids. */
export const numberedTables = [
  'author',
  'post',
  'remark',
  'tag',
  'account',
  'place',
  'product',
  'invoice',
  'note',
] as const

/** All tables, those that refer to others first. */
export const tables = [
  'post_tag',
  'remark',
  'post',
  'author',
  'tag',
  'account',
  'place_closure',
  'place',
  'product',
  'invoice',
  'note',
] as const
