// Secrets that a key had before stay refused for ever; who made and who approved a key is remembered.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly } from './support.js';

export class RetireApiKeySecrets1790000000070 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table retired_api_key_secrets (
        hash bytea constraint retired_api_key_secrets_pkey primary key,
        api_key_id uuid not null constraint retired_api_key_secrets_key_fk references api_keys (id),
        retired_at timestamptz not null default now()
      );
      alter table api_keys
        -- Null: made by the settings, or before this was kept.
        add column created_by uuid,
        -- The key that made it, or widened it last.
        add column proposed_by uuid,
        add column approved_by uuid,
        add column approved_at timestamptz,
        -- It works once a second admin has approved it.
        add column awaiting_approval boolean not null default false;
      grant select, insert on retired_api_key_secrets to colloquy_api;
    `);
  }

  down = forwardOnly;
}
