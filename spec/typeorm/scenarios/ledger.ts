import { type MigrationInterface, type QueryRunner, Table } from 'typeorm'

/** A migration in TypeORM's own terms, so that it runs on every engine. */
export class AddLedger implements MigrationInterface {
  readonly name = 'AddLedger1700000000000'

  async up(queryRunner: QueryRunner): Promise<void> {
    const columns = [{ name: 'id', type: 'int', isPrimary: true }]
    await queryRunner.createTable(new Table({ name: 'ledger', columns }))
    await queryRunner.query('INSERT INTO ledger (id) VALUES (7)')
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('ledger')
  }
}
