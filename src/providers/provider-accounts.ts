// Provider accounts with their decrypted secrets, for the webhook door and the worker. Cached for at most two seconds.
import { Injectable } from '@nestjs/common';
import { IngestDatabase } from '../database/database.js';
import type { Deadlines, ProviderAccountEntity } from '../database/entities/provider-account.entity.js';
import { openJson, sealJson } from '../vault/sealing/sealing.js';
import type { DataKey } from '../vault/sealing/sealing.js';
import { VaultService } from '../vault/vault.service.js';
import type { ProviderCredentials } from './provider.js';

export type { Deadlines };

export const DEFAULT_DEADLINES: Deadlines = {
  silence: null,
  ask_every: 900,
  analysis: 1800,
  transcript: 3600,
  audio: 86_400,
};

/** The sealed part of a provider account's row. */
export interface AccountSecrets {
  name: string;
  api_key: string;
  webhook_secret: string | null;
  base_url: string | null;
  agent_clients: { provider_agent_id: string; client_id: string }[];
}

export interface ProviderAccount {
  id: string;
  clientId: string;
  provider: string;
  /** Accepts no new webhooks; its conversations are still finished with its credentials. */
  isDeleted: boolean;
  deadlines: Deadlines;
  credentials: ProviderCredentials;
  /** provider agent id → client uuid, for accounts that serve several clients. */
  agentClients: Map<string, string>;
}

/** The client that a new conversation of that agent belongs to. `providerAgentId` null: the provider named none. */
export const clientOfAgent = (account: ProviderAccount, providerAgentId: string | null): string =>
  (providerAgentId === null ? undefined : account.agentClients.get(providerAgentId)) ?? account.clientId;

const purpose = (accountId: string): string => `provider_account:${accountId}`;

export const sealAccount = (clientKey: DataKey, accountId: string, secrets: AccountSecrets): Buffer =>
  sealJson(clientKey, purpose(accountId), secrets);

export const openAccount = (clientKey: DataKey, accountId: string, sealed: Buffer): AccountSecrets =>
  openJson(clientKey, purpose(accountId), sealed) as AccountSecrets;

type AccountRow = Pick<ProviderAccountEntity, 'id' | 'client_id' | 'provider' | 'sealed' | 'deadlines' | 'deleted_at'>;

const CACHED_MS = 2_000;
const FIND = 'select id, client_id, provider, sealed, deadlines, deleted_at from provider_accounts where id = $1';

@Injectable()
export class ProviderAccounts {
  private readonly cache = new Map<string, { account: ProviderAccount | null; at: number }>();
  /** Reads in progress. */
  private readonly reads = new Map<string, Promise<ProviderAccount | null>>();

  constructor(
    private readonly database: IngestDatabase,
    private readonly vault: VaultService,
  ) {}

  /** The account, or null if there is none. `fresh`: bypasses the cache; `maxAgeMs`: longest acceptable age of a cached one. */
  async find(id: string, { fresh = false, maxAgeMs = CACHED_MS } = {}): Promise<ProviderAccount | null> {
    if (fresh) return this.read(id);
    const known = this.cache.get(id);
    if (known && Date.now() - known.at < maxAgeMs) return known.account;
    // Concurrent calls share a read, so that a flood of webhooks does not exhaust the connection pool.
    const reading = this.reads.get(id) ?? this.read(id).finally(() => this.reads.delete(id));
    this.reads.set(id, reading);
    return reading;
  }

  private async read(id: string): Promise<ProviderAccount | null> {
    const at = Date.now();
    const [row] = await this.database.withScope('all', (tx) =>
      tx.query<AccountRow>({ name: 'account', text: FIND, values: [id] }),
    );
    const account = row === undefined ? null : await this.opened(row);
    if (this.cache.size > 1_000) this.cache.clear();
    // A slow read does not replace a newer result.
    if ((this.cache.get(id)?.at ?? at) <= at) this.cache.set(id, { account, at });
    return account;
  }

  private async opened(row: AccountRow): Promise<ProviderAccount> {
    const secrets = openAccount(await this.vault.clientKey(row.client_id), row.id, row.sealed);
    return {
      id: row.id,
      clientId: row.client_id,
      provider: row.provider,
      isDeleted: row.deleted_at !== null,
      deadlines: { ...DEFAULT_DEADLINES, ...row.deadlines },
      credentials: { apiKey: secrets.api_key, webhookSecret: secrets.webhook_secret, baseUrl: secrets.base_url },
      agentClients: new Map(secrets.agent_clients.map((entry) => [entry.provider_agent_id, entry.client_id])),
    };
  }
}
