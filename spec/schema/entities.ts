import {
  Column,
  Entity,
  Index,
  ManyToOne,
  type MigrationInterface,
  PrimaryGeneratedColumn,
  type QueryRunner,
  Table,
  type Relation,
} from 'typeorm'
import { MigrateOn } from '../../lib/index.js'

@Entity()
export class Country {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: 'varchar', length: 80 }) @Index({ unique: true }) name!: string
}

@Entity()
export class Customer {
  @PrimaryGeneratedColumn() id!: number
  @Column({ type: 'varchar', length: 120, default: 'nobody' }) email!: string
  @ManyToOne(() => Country, { nullable: true }) country?: Relation<Country> | null
}

/** Makes a table. */
export class MakeTables1700000000000 implements MigrationInterface {
  readonly name = 'MakeTables1700000000000'

  async up(runner: QueryRunner): Promise<void> {
    const id = { name: 'id', type: 'int', isPrimary: true } as const
    await runner.createTable(
      new Table({ name: 'cities', columns: [id, { name: 'name', type: 'varchar', length: '80' }] }),
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('cities')
  }
}

/** Adds an index to it. */
export class AddIndex1700000000001 implements MigrationInterface {
  readonly name = 'AddIndex1700000000001'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX cities_by_name ON cities (name)')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('cities', 'cities_by_name')
  }
}

/** Makes a table on the default shard only. */
@MigrateOn({ shards: ['master'] })
export class MakeLedger1700000000002 implements MigrationInterface {
  readonly name = 'MakeLedger1700000000002'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE ledger (id int PRIMARY KEY)')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('ledger')
  }
}
