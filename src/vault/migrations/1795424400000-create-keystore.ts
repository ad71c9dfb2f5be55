import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateKeystore1795424400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE keks (
        client_id uuid NOT NULL,
        epoch int NOT NULL,
        wrapped bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        destroyed_at timestamptz,
        CONSTRAINT keks_pkey PRIMARY KEY (client_id, epoch),
        CONSTRAINT keks_live_or_destroyed CHECK ((wrapped IS NULL) <> (destroyed_at IS NULL))
      )`);
    // No foreign key to keks: the check would lock one row per client for every conversation that begins.
    await runner.query(`
      CREATE TABLE data_keys (
        purpose text NOT NULL,
        owner uuid NOT NULL,
        part text NOT NULL DEFAULT '',
        client_id uuid NOT NULL,
        epoch int NOT NULL,
        wrapped bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        destroyed_at timestamptz,
        CONSTRAINT data_keys_pkey PRIMARY KEY (purpose, owner, part),
        CONSTRAINT data_keys_purpose CHECK (purpose IN ('conversation', 'client', 'inbox', 'index', 'identity')),
        CONSTRAINT data_keys_live_or_destroyed CHECK ((wrapped IS NULL) <> (destroyed_at IS NULL))
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: dropping the keystore would destroy every key');
  }
}
