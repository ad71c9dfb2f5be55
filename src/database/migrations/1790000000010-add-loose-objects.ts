// Each attempt to store a recording writes an object of its own. Those that no record names stand here, from before they are
// written until they are named, or removed.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly } from './support.js';

export class AddLooseObjects1790000000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table loose_objects (
        object_key text constraint loose_objects_pkey primary key,
        conversation_id uuid not null,
        since timestamptz not null default now()
      );
      grant select, insert, delete on loose_objects to colloquy_worker;
    `);
  }

  down = forwardOnly;
}
