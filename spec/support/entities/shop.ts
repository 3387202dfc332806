import {
  BaseEntity,
  Column,
  Entity,
  EntitySchema,
  type EntitySubscriberInterface,
  EventSubscriber,
  type InsertEvent,
  PrimaryGeneratedColumn,
  Tree,
  TreeChildren,
  TreeParent,
  type DataSource,
} from 'typeorm'

/** Its class talks to the database itself. */
@Entity('account')
export class Account extends BaseEntity {
  @PrimaryGeneratedColumn() id!: number
  @Column() holder!: string
}

@Entity('place')
@Tree('closure-table')
export class Place {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @TreeParent() parent?: Place | null
  @TreeChildren({ cascade: true }) children!: Place[]
}

export interface Product {
  id: number
  sku: string
  stock: number
  createdAt: Date
}

/** An entity without a class, with a value that the server makes. */
export const ProductSchema = new EntitySchema<Product>({
  name: 'product',
  columns: {
    id: { type: Number, primary: true, generated: true },
    sku: { type: String, unique: true },
    stock: { type: Number },
    createdAt: { type: Date, name: 'created_at', createDate: true },
  },
})

/** Each invoice that is inserted leaves two notes, the second after a look at the first, by {@link InvoiceAudit}. */
@Entity('invoice')
export class Invoice {
  @PrimaryGeneratedColumn() id!: number
  @Column() total!: number
}

@Entity('note')
export class Note {
  @PrimaryGeneratedColumn() id!: number
  @Column() text!: string
}

/** The data source that the last event of {@link InvoiceAudit} came from. */
export const lastAudit: { dataSource: DataSource | undefined } = { dataSource: undefined }

@EventSubscriber()
export class InvoiceAudit implements EntitySubscriberInterface<Invoice> {
  listenTo(): typeof Invoice {
    return Invoice
  }

  async afterInsert({ manager, dataSource, entity }: InsertEvent<Invoice>): Promise<void> {
    lastAudit.dataSource = dataSource
    await manager.insert(Note, { text: `by manager: ${entity.total}` })
    const notes = dataSource.getRepository(Note)
    const count = await notes.countBy({ text: `by manager: ${entity.total}` })
    await notes.insert({ text: `by data source: ${entity.total} (${count})` })
  }
}
