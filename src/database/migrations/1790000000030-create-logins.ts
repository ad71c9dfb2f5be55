// A login for each process, and no right that a process has no use for: who takes over one of them has what it has, not more.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createRole, letBecome, LOGINS } from '../logins.js';
import { forwardOnly } from './support.js';

export class CreateLogins1790000000030 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const login of Object.values(LOGINS)) await createRole(runner, login, 'noinherit');
    for (const role of ['colloquy_api', 'colloquy_ingest']) await letBecome(runner, LOGINS.api, role);
    await letBecome(runner, LOGINS.worker, 'colloquy_worker');
    await runner.query(`
      -- A process asks at its start whether the tables are as new as its code.
      grant select on migrations to colloquy_api, colloquy_ingest, colloquy_worker;

      revoke all on api_keys from colloquy_worker;
      revoke insert, update on clients from colloquy_worker;
      revoke delete on conversations, conversation_states, provider_records, transcripts, recordings from colloquy_worker;
      revoke update on fact_receipts from colloquy_worker;
      revoke all on clients, journal from colloquy_ingest;
      drop policy ingest_reads on clients;
      drop policy ingest_appends on journal;
      revoke delete on clients, provider_accounts, agents, api_keys, idempotency_keys from colloquy_api;
    `);
  }

  down = forwardOnly;
}
