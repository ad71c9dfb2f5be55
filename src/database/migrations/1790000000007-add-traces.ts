// Where a trace goes on in the next process: a W3C traceparent, two random ids and a flag. Null when nothing is traced.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly } from './support.js';

export class AddTraces1790000000007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table inbox add column traceparent text;
      alter table wakes add column traceparent text;
    `);
  }

  down = forwardOnly;
}
