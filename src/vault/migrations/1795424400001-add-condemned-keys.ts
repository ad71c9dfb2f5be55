// When a key was found to belong to no conversation; who asks for the key takes it back (key-sweep.ts).
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddCondemnedKeys1795424400001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE data_keys ADD COLUMN condemned_at timestamptz');
    await runner.query(
      'CREATE INDEX data_keys_condemned_idx ON data_keys (condemned_at) WHERE condemned_at IS NOT NULL',
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
