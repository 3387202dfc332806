import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Name of the variable that makes the migration slow: seconds that the server sleeps in it. */
export const slowVariable = 'OCTOPUS_SPEC_SLEEP_S'

/** Keeps the server busy for a while, then makes the table `stays`. */
export class SlowStays1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const seconds = Number(process.env[slowVariable] ?? 0)
    const sleep = runner.dataSource.options.type === 'postgres' ? 'pg_sleep' : 'SLEEP'
    await runner.query(`SELECT ${sleep}(${seconds})`)
    await runner.query('CREATE TABLE stays (id INT PRIMARY KEY)')
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stays')
  }
}
