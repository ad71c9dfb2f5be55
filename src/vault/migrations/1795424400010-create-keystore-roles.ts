// What each process may do to keys: the API makes and reads them, the worker also destroys them.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createRole, letBecome, LOGINS } from '../../database/logins.js';

export class CreateKeystoreRoles1795424400010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [process, login] of Object.entries(LOGINS)) {
      const role = `colloquy_keystore_${process}`;
      await createRole(runner, role);
      await createRole(runner, login, 'noinherit');
      for (const member of ['current_user', login]) await letBecome(runner, member, role);
    }
    await runner.query(`
      GRANT SELECT ON migrations, keks, data_keys TO colloquy_keystore_api, colloquy_keystore_worker;
      GRANT INSERT (client_id, epoch, wrapped) ON keks TO colloquy_keystore_api, colloquy_keystore_worker;
      GRANT INSERT (purpose, owner, part, client_id, epoch, wrapped) ON data_keys TO colloquy_keystore_api;
      -- Takes back a key that was found to be nobody's.
      GRANT UPDATE (condemned_at) ON data_keys TO colloquy_keystore_api;
      GRANT INSERT, UPDATE, DELETE ON data_keys TO colloquy_keystore_worker;
    `);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
