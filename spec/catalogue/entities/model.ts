import {
  BaseEntity,
  Column,
  CreateDateColumn,
  Entity,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
  UpdateDateColumn,
} from 'typeorm'
import { type ConnectionProxy, Unsharded } from '../../../lib/index.js'

@Entity('model_user')
export class User {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @Column() number!: number
  @Column({ name: 'admin' }) isAdmin!: boolean
}

/** Saves and reloads itself, and copies itself to a shard of the caller's choice. */
@Entity('model_account')
export class Account extends BaseEntity {
  @PrimaryGeneratedColumn() id!: number
  @Column() owner!: string

  copyTo(db: ConnectionProxy, shard: string): Promise<Account> {
    return db.using(shard, () =>
      db.manager.save(Object.assign(new Account(), { owner: this.owner })),
    )
  }
}

@Entity('model_note')
export class Note {
  @PrimaryGeneratedColumn() id!: number
  @Column() text!: string
  @CreateDateColumn() createdAt!: Date
  @UpdateDateColumn() updatedAt!: Date
}

@Entity('model_client')
export class Client {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @OneToMany(() => Item, (item) => item.client) items?: Relation<Item>[]
}

@Entity('model_item')
export class Item {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
  @ManyToOne(() => Client, (client) => client.items) client?: Relation<Client>
}

@Entity('model_keyboard')
export class Keyboard {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

/** Its table is not named after it. */
@Entity('model_ham')
export class Bacon {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

/** Is on the default shard, whatever the scope. */
@Unsharded()
@Entity('model_advert')
export class Advert {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

/**
 * The table of settings, which every shard has. Those that live on one shard are entities of data
 * sources of their own: not every data source of the rows has that shard.
 */
@Entity('model_setting')
export class AnySetting {
  @PrimaryGeneratedColumn() id!: number
  @Column() value!: string
}

export const entities = [User, Account, Note, Client, Item, Keyboard, Bacon, Advert, AnySetting]
