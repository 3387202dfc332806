import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm'
// In a project of your own:  from 'typeorm-octopus'
import { octopus } from '../../lib/index.js'

@Entity()
export class Parcel {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: String }) to!: string
}

/** SQLite files in the current folder; yours are servers. */
const file = (name: string) => ({ location: `${name}.sqlite`, autoSave: true })

/** What `octopus -d` is given: the wrapped data source, exported by any name. */
export const db = octopus(new DataSource({ type: 'sqljs', ...file('main'), entities: [Parcel] }), {
  shards: { brazil: file('brazil'), canada: file('canada') },
  groups: { americas: ['brazil', 'canada'] },
})
