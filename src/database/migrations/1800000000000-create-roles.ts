// A role for each kind of work, and a login for each process, which can only become the roles of that process. The login that
// runs the migrations owns the tables.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createRole, grantRole, LOGINS } from '../logins.js';
import { forwardOnly } from './support.js';

const API_ROLES = ['colloquy_api', 'colloquy_ingest'];
const WORKER_ROLES = ['colloquy_worker'];

export class CreateRoles1800000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const role of [...API_ROLES, ...WORKER_ROLES]) {
      await createRole(runner, role);
      // Row-level security applies to the owner too: by inheriting, a later migration sees the rows that it changes.
      await grantRole(runner, 'current_user', role, 'inherit');
    }
    for (const login of Object.values(LOGINS)) await createRole(runner, login, 'noinherit');
    for (const role of API_ROLES) await grantRole(runner, LOGINS.api, role);
    for (const role of WORKER_ROLES) await grantRole(runner, LOGINS.worker, role);
    // Every process checks at its start that the tables are as new as its code.
    await runner.query('grant select on migrations to colloquy_api, colloquy_ingest, colloquy_worker');
  }

  down = forwardOnly;
}
