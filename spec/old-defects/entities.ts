import {
  Column,
  Entity,
  type MigrationInterface,
  PrimaryGeneratedColumn,
  type QueryRunner,
} from 'typeorm'
import { Replicated } from '../../lib/index.js'

/** Counts as replicated where not everything does. */
@Replicated()
@Entity('client')
export class Client {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

@Entity('item')
export class Item {
  @PrimaryGeneratedColumn() id!: number
  @Column() name!: string
}

/** Makes one table. */
export class AddVisits1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE visits (id INT PRIMARY KEY)')
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE visits')
  }
}
