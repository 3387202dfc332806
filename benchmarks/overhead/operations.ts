import type { Repository } from 'typeorm'
import { type Item, itemValues, seededItems } from './item.js'

/** One call of an application, the `turn`th. */
export type Operation = (items: Repository<Item>, turn: number) => Promise<unknown>

const findById: Operation = (items, turn) => items.findOneBy({ id: 1 + (turn % seededItems) })
const insert: Operation = (items, turn) => items.insert(itemValues(turn))

/** What is measured, by name. */
export const operations = {
  'find by id': findById,
  'find 20': (items) => items.find({ take: 20 }),
  insert,
  save: (items, turn) => items.save(itemValues(turn)),
  '90 % find, 10 % insert': (items, turn) => (turn % 10 === 9 ? insert : findById)(items, turn),
} as const satisfies Record<string, Operation>
export type OperationName = keyof typeof operations

/** How many calls are under way at a time. */
export const concurrencies = [1, 16, 64] as const
