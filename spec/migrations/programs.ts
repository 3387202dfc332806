import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Makes the table `visits`, and puts a row into it. */
export class AddVisits1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE visits (id INT PRIMARY KEY)')
    await runner.query('INSERT INTO visits VALUES (1)')
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE visits')
  }
}

/** Makes the table `stays`. */
export class AddStays1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE stays (id INT PRIMARY KEY)')
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stays')
  }
}

/** Makes one table, and fails at the second where a table `guests` is there already. */
export class AddGuests1700000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('INSERT INTO visits VALUES (2)')
    await runner.query('CREATE TABLE rooms (id INT PRIMARY KEY)')
    await runner.query('CREATE TABLE guests (id INT PRIMARY KEY)')
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE guests')
    await runner.query('DROP TABLE rooms')
  }
}

/** Fails at once. */
export class Fails1700000000009 implements MigrationInterface {
  up = (): Promise<void> => Promise.reject(new RangeError('as it wants'))
  down = this.up
}

/** Every table that migrations of these specs make, in the order in which they can be dropped. */
export const madeTables = ['guests', 'rooms', 'stays', 'visits', 'migrations'] as const

/** The names of migrations in the order in which they run. */
export const names = (...classes: readonly { readonly name: string }[]): string[] =>
  classes.map(({ name }) => name)
