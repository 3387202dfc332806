import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm'

/** The entity of all operations: a row as wide as an ordinary one. */
@Entity('benchmark_item')
export class Item {
  @PrimaryGeneratedColumn()
  id!: number

  @Column()
  code!: string

  @Column()
  name!: string

  @Column()
  quantity!: number

  @Column('double')
  price!: number

  @Column()
  active!: boolean

  @Column({ type: 'varchar', nullable: true })
  note!: string | null

  @Column('datetime')
  made!: Date
}

/** The number of rows there are to find. */
export const seededItems = 1000

const made = new Date('2026-01-01T00:00:00Z')

/** The values of a new item. */
export const itemValues = (turn: number): Omit<Item, 'id'> => ({
  code: `code ${turn}`,
  name: `name of item ${turn}`,
  quantity: turn % 100,
  price: 2.5,
  active: true,
  note: null,
  made,
})
