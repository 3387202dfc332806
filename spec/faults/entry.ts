import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A row that knows its shard. */
@Entity()
export class Entry {
  @PrimaryColumn({ type: 'varchar', length: 64 })
  id!: string

  @Column({ type: 'varchar', length: 32 })
  shard!: string

  @Column({ type: 'varchar', length: 64 })
  text!: string
}
