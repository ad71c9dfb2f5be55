// Rows of provider accounts, and how they are shown: secrets go in and never come out.
import { Inject, Injectable } from '@nestjs/common';
import { mayAccess, reachOf, type Caller } from '../access/caller.js';
import { CONFIG } from '../config/config.module.js';
import { publicId } from '../common/ids.js';
import type { Config } from '../config/config.js';
import type { Transaction } from '../database/with-scope.js';
import { NO_BACKFILL, readBackfills, type BackfillProgress } from '../reconciliation/backfill-requests.js';
import { DEFAULT_DEADLINES, openAccount, sealAccount, type Deadlines } from '../providers/provider-accounts.js';
import { VaultService } from '../vault/vault.service.js';
import { NO_HEALTH, readHealth, type AccountHealth } from './account-health.js';
import type { AccountSettings } from './account-settings.js';
import type { ProviderAccountAnswer } from './provider-account.schema.js';

export interface AccountRow {
  id: string;
  client_id: string;
  provider: string;
  sealed: Buffer;
  deadlines: Partial<Deadlines>;
  backfill_days: number;
  poll_active_seconds: number | null;
  revision: number;
  created_at: Date;
  updated_at: Date;
}

/** An account's row with what its backfill has come to, and how it fares. */
export interface ShownAccount extends AccountRow {
  health: AccountHealth;
  backfill: BackfillProgress;
  /** Goes up with the progress. */
  backfill_version: number;
}

const COLUMNS = `id, client_id, provider, sealed, deadlines, backfill_days, poll_active_seconds, revision, created_at,
  updated_at`;
const VISIBLE = '($1::uuid[] is null or client_id = any($1::uuid[])) and deleted_at is null';
const LIST = `
select ${COLUMNS} from provider_accounts where ${VISIBLE} and ($2::uuid is null or client_id = $2::uuid)
  and ($3::text is null or provider = $3) and ($4::uuid is null or id > $4::uuid)
order by id limit $5`;
const FIND = `select ${COLUMNS} from provider_accounts where ${VISIBLE} and id = $2`;
const INSERT = `
insert into provider_accounts (id, client_id, provider, sealed, deadlines, backfill_days, poll_active_seconds)
values ($1, $2, $3, $4, $5, $6, $7)`;
const UPDATE = `
update provider_accounts set sealed = $3, deadlines = $4, backfill_days = $5, poll_active_seconds = $6,
  revision = revision + 1, updated_at = now()
where ${VISIBLE} and id = $2`;
const DELETE = `
update provider_accounts set sealed = $3, deleted_at = now(), revision = revision + 1, updated_at = now()
where ${VISIBLE} and id = $2`;

/** Shown where no own silence is set: the default for calls. */
const CALL_SILENCE = 900;

interface ListFilter {
  clientId: string | null;
  provider: string | null;
  after: string | null;
  limit: number;
}

type Owner = Pick<AccountRow, 'id' | 'client_id'>;

async function withProgress(tx: Transaction, rows: AccountRow[]): Promise<ShownAccount[]> {
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

  async list(tx: Transaction, caller: Caller, filter: ListFilter): Promise<ShownAccount[]> {
    const { clientId, provider, after, limit } = filter;
    const values = [reachOf(caller), clientId, provider, after, limit];
    return withProgress(tx, await tx.query<AccountRow>({ text: LIST, values }));
  }

  async show(tx: Transaction, caller: Caller, id: string): Promise<ShownAccount | undefined> {
    const row = await this.find(tx, caller, id);
    return row && (await withProgress(tx, [row]))[0];
  }

  async find(tx: Transaction, caller: Caller, id: string, { lock = false } = {}): Promise<AccountRow | undefined> {
    const text = lock ? `${FIND} for update` : FIND;
    return (await tx.query<AccountRow>({ text, values: [reachOf(caller), id] }))[0];
  }

  async insert(tx: Transaction, owner: Owner & { provider: string }, settings: AccountSettings): Promise<void> {
    const { sealed, plain } = await this.columns(owner, settings);
    await tx.query({ text: INSERT, values: [owner.id, owner.client_id, owner.provider, sealed, ...plain] });
  }

  async update(tx: Transaction, caller: Caller, owner: Owner, settings: AccountSettings): Promise<void> {
    const { sealed, plain } = await this.columns(owner, settings);
    await tx.query({ text: UPDATE, values: [reachOf(caller), owner.id, sealed, ...plain] });
  }

  /** The row stays for those who ask where a conversation came from; its secrets go. */
  async remove(tx: Transaction, caller: Caller, row: AccountRow): Promise<void> {
    const settings = await this.settingsOf(row);
    const { sealed } = await this.columns(row, { ...settings, api_key: '', webhook_secret: null });
    await tx.query({ text: DELETE, values: [reachOf(caller), row.id, sealed] });
  }

  async settingsOf(row: AccountRow): Promise<AccountSettings> {
    const { deadlines, backfill_days, poll_active_seconds } = row;
    const secrets = openAccount(await this.vault.clientKey(row.client_id), row.id, row.sealed);
    return { ...secrets, deadlines, backfill_days, poll_active_seconds };
  }

  /** As the caller may see it: `agent_clients` of other clients are left out. */
  async render(caller: Caller, row: ShownAccount): Promise<ProviderAccountAnswer> {
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
      deadlines: { ...DEFAULT_DEADLINES, ...row.deadlines, silence: row.deadlines.silence ?? CALL_SILENCE },
      backfill: row.backfill,
      health: row.health,
      created_at: row.created_at.toISOString(),
      updated_at: row.updated_at.toISOString(),
    };
  }

  private async columns(
    { id, client_id: clientId }: Owner,
    { deadlines, backfill_days, poll_active_seconds, ...secrets }: AccountSettings,
  ): Promise<{ sealed: Buffer; plain: unknown[] }> {
    const sealed = sealAccount(await this.vault.clientKey(clientId), id, secrets);
    return { sealed, plain: [JSON.stringify(deadlines), backfill_days, poll_active_seconds] };
  }
}
