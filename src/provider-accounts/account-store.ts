// Rows of provider accounts, and how the API shows them: secrets are written and never returned.
import { Inject, Injectable } from '@nestjs/common';
import type { QueryPartialEntity } from 'typeorm';
import { mayAccess, clientFilterOf, type Caller } from '../access/caller.js';
import { CONFIG } from '../config/config.module.js';
import { publicId } from '../common/ids.js';
import type { Config } from '../config/config.js';
import { among, NEXT_REVISION, exactly, greaterThan, FOR_UPDATE, meets, NOT_DELETED } from '../database/conditions.js';
import { ProviderAccountEntity } from '../database/entities/provider-account.entity.js';
import type { Transaction } from '../database/with-scope.js';
import { NO_BACKFILL, readBackfills, type BackfillProgress } from '../reconciliation/backfill-requests.js';
import { DEFAULT_DEADLINES, openAccount, sealAccount } from '../providers/provider-accounts.js';
import { VaultService } from '../vault/vault.service.js';
import { NO_HEALTH, readHealth, type AccountHealth } from './account-health.js';
import type { AccountSettings } from './account-settings.js';
import type { ProviderAccountAnswer } from './provider-account.schema.js';

export type AccountRow = Omit<ProviderAccountEntity, 'deleted_at'>;

/** An account's row with the progress of its backfill and its health. */
export interface AccountWithStatus extends AccountRow {
  health: AccountHealth;
  backfill: BackfillProgress;
  /** Increases with the progress. */
  backfill_version: number;
}

/** Restricts every query to the caller's clients; row-level security is the second barrier. */
const visible = (caller: Caller, clientId: string | null = null) => ({
  ...meets('client_id', among(clientFilterOf(caller)), exactly(clientId)),
  ...NOT_DELETED,
});

/** Shown if no `silence` is set: the default for calls, seconds. */
const DEFAULT_CALL_SILENCE = 900;

interface ListFilter {
  clientId: string | null;
  provider: string | null;
  after: string | null;
  limit: number;
}

type Owner = Pick<AccountRow, 'id' | 'client_id'>;

async function withStatus(tx: Transaction, rows: AccountRow[]): Promise<AccountWithStatus[]> {
  const ids = rows.map(({ id }) => id);
  const [backfills, healths] = await Promise.all([readBackfills(tx, ids), readHealth(tx, ids)]);
  return rows.map((row) => {
    const found = backfills.get(row.id);
    return {
      ...row,
      health: healths.get(row.id) ?? NO_HEALTH,
      backfill: found?.progress ?? NO_BACKFILL,
      backfill_version: found?.version ?? 0,
    };
  });
}

@Injectable()
export class AccountStore {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly vault: VaultService,
  ) {}

  async list(tx: Transaction, caller: Caller, filter: ListFilter): Promise<AccountWithStatus[]> {
    const { clientId, provider, after, limit } = filter;
    const where = {
      ...visible(caller, clientId),
      ...meets('provider', exactly(provider)),
      ...meets('id', greaterThan(after)),
    };
    const rows = await tx.manager.find(ProviderAccountEntity, { where, order: { id: 'asc' }, take: limit });
    return withStatus(tx, rows);
  }

  async show(tx: Transaction, caller: Caller, id: string): Promise<AccountWithStatus | undefined> {
    const row = await this.find(tx, caller, id);
    return row === null ? undefined : (await withStatus(tx, [row]))[0];
  }

  find(tx: Transaction, caller: Caller, id: string, { lock = false } = {}): Promise<AccountRow | null> {
    return tx.manager.findOne(ProviderAccountEntity, { where: { ...visible(caller), id }, ...(lock && FOR_UPDATE) });
  }

  async insert(tx: Transaction, owner: Owner & { provider: string }, settings: AccountSettings): Promise<void> {
    const columns = await this.columns(owner, settings);
    await tx.manager.insert(ProviderAccountEntity, { ...owner, ...columns });
  }

  async update(tx: Transaction, caller: Caller, owner: Owner, settings: AccountSettings): Promise<void> {
    await this.change(tx, caller, owner.id, await this.columns(owner, settings));
  }

  /** Marks the row as deleted and erases its secrets. The row stays, because conversations refer to it. */
  async remove(tx: Transaction, caller: Caller, row: AccountRow): Promise<void> {
    const settings = await this.settingsOf(row);
    const { sealed } = await this.columns(row, { ...settings, api_key: '', webhook_secret: null });
    await this.change(tx, caller, row.id, { sealed, deleted_at: () => 'now()' });
  }

  async settingsOf(row: AccountRow): Promise<AccountSettings> {
    const { deadlines, backfill_days, poll_active_seconds } = row;
    const secrets = openAccount(await this.vault.clientKey(row.client_id), row.id, row.sealed);
    return { ...secrets, deadlines, backfill_days, poll_active_seconds };
  }

  /** The account as this caller may see it: entries of `agent_clients` for other clients are left out. */
  async render(caller: Caller, row: AccountWithStatus): Promise<ProviderAccountAnswer> {
    const settings = await this.settingsOf(row);
    const id = publicId('providerAccount', row.id);
    return {
      id,
      object: 'provider_account',
      provider: row.provider,
      name: settings.name,
      client_id: publicId('client', row.client_id),
      base_url: settings.base_url,
      webhook_url: `${this.config.publicUrl}/v1/webhooks/${id}`,
      has_api_key: settings.api_key !== '',
      has_webhook_secret: settings.webhook_secret !== null,
      agent_clients: settings.agent_clients
        .filter((entry) => mayAccess(caller, entry.client_id))
        .map((entry) => ({ ...entry, client_id: publicId('client', entry.client_id) })),
      backfill_days: row.backfill_days,
      poll_active_seconds: row.poll_active_seconds,
      deadlines: { ...DEFAULT_DEADLINES, ...row.deadlines, silence: row.deadlines.silence ?? DEFAULT_CALL_SILENCE },
      backfill: row.backfill,
      health: row.health,
      created_at: row.created_at.toISOString(),
      updated_at: row.updated_at.toISOString(),
    };
  }

  private async columns(
    { id, client_id: clientId }: Owner,
    { deadlines, backfill_days, poll_active_seconds, ...secrets }: AccountSettings,
  ): Promise<Pick<ProviderAccountEntity, 'sealed' | 'deadlines' | 'backfill_days' | 'poll_active_seconds'>> {
    const sealed = sealAccount(await this.vault.clientKey(clientId), id, secrets);
    return { sealed, deadlines, backfill_days, poll_active_seconds };
  }

  private async change(
    tx: Transaction,
    caller: Caller,
    id: string,
    columns: QueryPartialEntity<ProviderAccountEntity>,
  ): Promise<void> {
    await tx.manager.update(ProviderAccountEntity, { ...visible(caller), id }, { ...columns, ...NEXT_REVISION });
  }
}
