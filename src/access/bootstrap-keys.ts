// The keys of the settings, made when the API first starts with them. Later starts find them; a revoked one stays revoked.
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { newUuid } from '../common/ids.js';
import { CONFIG } from '../common/settings.js';
import type { Config } from '../config/config.js';
import { ApiDatabase } from '../database/database.js';
import { appendJournal } from '../journal/append.js';
import { SYSTEM_CLIENT } from '../vault/vault.service.js';
import { hashOf, prefixOf } from './api-key-secret.js';
import { ApiKeyStore } from './api-key-store.js';
import type { Role } from './rights.js';

interface BootstrapKey {
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
  ) {
    this.keys = [
      { secret: bootstrapKey, role: 'admin', name: 'Bootstrap key' },
      { secret: bootstrapReadKey, role: 'supervisor', name: 'Bootstrap read key' },
    ];
  }

  async onModuleInit(): Promise<void> {
    for (const key of this.keys) await this.ensure(key);
  }

  private async ensure({ secret, role, name }: BootstrapKey): Promise<void> {
    if (secret === undefined) return;
    const id = newUuid();
    const grant = { role, all_clients: true, client_ids: [], scopes: [], expires_at: null };
    await this.database.withScope('all', async (tx) => {
      const row = { id, grant, name, hash: hashOf(secret), prefix: prefixOf(secret) };
      if (!(await this.store.insert(tx, row))) return;
      const actor = { type: 'system' as const, id: 'bootstrap' };
      await appendJournal(tx, [{ clientId: SYSTEM_CLIENT, action: 'api_key.created', objectIds: [id], actor }]);
    });
  }
}
