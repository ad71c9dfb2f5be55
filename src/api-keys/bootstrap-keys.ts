// Creates the bootstrap keys of the settings when the API first starts with them. One that was rotated or revoked since is
// never accepted again: the process starts without it and logs a warning.
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { newUuid, publicId } from '../common/ids.js';
import { Log } from '../common/log.js';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { ApiDatabase } from '../database/database.js';
import type { Transaction } from '../database/with-scope.js';
import { appendJournal } from '../journal/append.js';
import { SYSTEM_CLIENT } from '../vault/vault.service.js';
import { hashOf, prefixOf } from '../access/api-key-secret.js';
import { ApiKeyStore } from './api-key-store.js';
import { changeKeys } from './key-changes.js';
import type { Role } from '../access/rights.js';

/** Whether the secret was rotated or revoked, and which key it belonged to. */
const RETIRED = `
select 'rotated' as reason, api_key_id as id from retired_api_key_secrets where hash = $1
union all
select 'revoked', id from api_keys where hash = $1 and revoked_at is not null
limit 1`;

interface BootstrapKey {
  setting: string;
  secret: string | undefined;
  role: Role;
  name: string;
}

@Injectable()
export class BootstrapKeys implements OnModuleInit {
  private readonly keys: BootstrapKey[];

  constructor(
    @Inject(CONFIG) { bootstrapKey, bootstrapReadKey }: Config,
    private readonly database: ApiDatabase,
    private readonly store: ApiKeyStore,
    private readonly log: Log,
  ) {
    this.keys = [
      { setting: 'COLLOQUY_BOOTSTRAP_KEY', secret: bootstrapKey, role: 'admin', name: 'Bootstrap key' },
      {
        setting: 'COLLOQUY_BOOTSTRAP_READ_KEY',
        secret: bootstrapReadKey,
        role: 'supervisor',
        name: 'Bootstrap read key',
      },
    ];
  }

  async onModuleInit(): Promise<void> {
    for (const key of this.keys) await this.ensure(key);
  }

  private async ensure({ setting, secret, role, name }: BootstrapKey): Promise<void> {
    if (secret === undefined) return;
    const hash = hashOf(secret);
    const retired = await this.database.withScope('all', (tx) =>
      changeKeys(tx, async () => {
        const [ended] = await tx.query<{ reason: string; id: string }>({ text: RETIRED, values: [hash] });
        if (ended === undefined) await this.create(tx, { role, name, hash, prefix: prefixOf(secret) });
        return ended;
      }),
    );
    if (retired === undefined) return;
    const fields = { setting, reason: retired.reason, api_key_id: publicId('apiKey', retired.id) };
    this.log.warn('a bootstrap key of the settings was retired and stays refused', fields);
  }

  private async create(
    tx: Transaction,
    { role, ...row }: { role: Role; name: string; hash: Buffer; prefix: string },
  ): Promise<void> {
    const id = newUuid();
    const grant = { role, all_clients: true, client_ids: [], scopes: [], expires_at: null };
    // No approval: whoever controls the settings could switch COLLOQUY_FOUR_EYES off as well.
    if (!(await this.store.insert(tx, { id, grant, ...row, proposedBy: null, isAwaited: false }))) return;
    const actor = { type: 'system' as const, id: 'bootstrap' };
    await appendJournal(tx, [{ clientId: SYSTEM_CLIENT, action: 'api_key.created', objectIds: [id], actor }]);
  }
}
