// What each process may do with keys: the API creates and reads them, the worker also destroys them.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createRole, grantRole, LOGINS } from '../../../database/logins.js';

export class CreateKeystoreRoles1800000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [process, login] of Object.entries(LOGINS)) {
      const role = `colloquy_keystore_${process}`;
      await createRole(runner, role);
      await createRole(runner, login, 'noinherit');
      for (const member of ['current_user', login]) await grantRole(runner, member, role);
    }
    await runner.query(`
      grant select on migrations, keks, data_keys, conversation_keys, keys_marked_for_deletion
        to colloquy_keystore_api, colloquy_keystore_worker;
      grant insert (client_id, epoch, wrapped) on keks to colloquy_keystore_api, colloquy_keystore_worker;
      grant insert (purpose, owner, part, kek_id, wrapped) on data_keys to colloquy_keystore_api;
      grant insert (conversation_id, kek_id, record, transcript, audio, analysis, parked) on conversation_keys
        to colloquy_keystore_api;
      -- Unmarks a key that was found to belong to no conversation.
      grant delete on keys_marked_for_deletion to colloquy_keystore_api;
      grant insert, update, delete on data_keys, conversation_keys, keys_marked_for_deletion to colloquy_keystore_worker;
    `);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
