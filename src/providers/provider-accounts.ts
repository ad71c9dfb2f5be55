// Accounts as the door and the activities need them: opened, with their secrets. Held for two seconds at most.
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
  /** No new webhooks; what is under way is still finished with its credentials. */
  isDeleted: boolean;
  deadlines: Deadlines;
  credentials: ProviderCredentials;
  /** provider agent id → client uuid, for accounts that serve several clients. */
  agentClients: Map<string, string>;
}

/** Whose a new conversation of that agent is; null: the provider named none. */
export const clientOfAgent = (account: ProviderAccount, providerAgentId: string | null): string =>
  (providerAgentId === null ? undefined : account.agentClients.get(providerAgentId)) ?? account.clientId;

const purpose = (accountId: string): string => `provider_account:${accountId}`;

export const sealAccount = (clientKey: DataKey, accountId: string, secrets: AccountSecrets): Buffer =>
  sealJson(clientKey, purpose(accountId), secrets);

export const openAccount = (clientKey: DataKey, accountId: string, sealed: Buffer): AccountSecrets =>
  openJson(clientKey, purpose(accountId), sealed) as AccountSecrets;

type AccountRow = Pick<ProviderAccountEntity, 'id' | 'client_id' | 'provider' | 'sealed' | 'deadlines' | 'deleted_at'>;

const HELD_MS = 2_000;
const FIND = 'select id, client_id, provider, sealed, deadlines, deleted_at from provider_accounts where id = $1';

@Injectable()
export class ProviderAccounts {
  private readonly held = new Map<string, { account: ProviderAccount | null; at: number }>();
  /** Reads under way. */
  private readonly reads = new Map<string, Promise<ProviderAccount | null>>();

  constructor(
    private readonly database: IngestDatabase,
    private readonly vault: VaultService,
  ) {}

  /** The account, or null when there is none. `fresh`: nothing that is held counts; `heldMs`: nothing that is held longer. */
  async find(id: string, { fresh = false, heldMs = HELD_MS } = {}): Promise<ProviderAccount | null> {
    if (fresh) return this.read(id);
    const known = this.held.get(id);
    if (known && Date.now() - known.at < heldMs) return known.account;
    // Whoever asks at the same time shares the answer: a flood does not take the pool from those who store.
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
    if (this.held.size > 1_000) this.held.clear();
    // A slow answer does not replace a newer one.
    if ((this.held.get(id)?.at ?? at) <= at) this.held.set(id, { account, at });
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
