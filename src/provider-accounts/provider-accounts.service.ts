// The service behind /v1/provider-accounts.
import { Injectable } from '@nestjs/common';
import { adminScope, requireClients, requireExisting, unknownObject } from '../access/admin.js';
import { actorOf, type Caller } from '../access/caller.js';
import { Idempotency, type IdempotentRequest } from '../access/idempotency.js';
import { ApiResponse, etagOf, requireMatch, withStatus, type List } from '../http/api-response.js';
import { Cursors } from '../http/cursor.js';
import { AppError } from '../common/errors.js';
import { newUuid } from '../common/ids.js';
import { pageById } from '../http/page.js';
import { ApiDatabase } from '../database/database.js';
import { Notifier } from '../database/notifier.js';
import type { Transaction } from '../database/with-scope.js';
import { Egress } from '../egress/egress.js';
import { appendJournal } from '../journal/append.js';
import { requestRearm } from '../outbox/request-rearm.js';
import { tryCircuitNow } from '../providers/gateway/circuit-row.js';
import { ProviderAccounts } from '../providers/provider-accounts.js';
import { cancelBackfill, requestBackfill, resumeBackfill } from '../reconciliation/backfill-requests.js';
import { endPoll, requestPoll } from '../reconciliation/live-poll-row.js';
import { SYSTEM_CLIENT } from '../vault/vault.service.js';
import { healthVersion, NO_HEALTH } from './account-health.js';
import {
  changesOrigin,
  NO_SETTINGS,
  patched,
  requireKeyForNewOrigin,
  type AccountSettings,
} from './account-settings.js';
import { AccountStore, type AccountRow, type AccountWithStatus } from './account-store.js';
import type {
  ProviderAccountAnswer,
  ProviderAccountInput,
  ProviderAccountPatch,
  ProviderAccountQuery,
} from './provider-account.schema.js';

@Injectable()
export class ProviderAccountsService {
  constructor(
    private readonly database: ApiDatabase,
    private readonly store: AccountStore,
    private readonly opened: ProviderAccounts,
    private readonly idempotency: Idempotency,
    private readonly cursors: Cursors,
    private readonly egress: Egress,
    private readonly notifier: Notifier,
  ) {}

  async list(caller: Caller, { limit, cursor, ...filter }: ProviderAccountQuery): Promise<List<ProviderAccountAnswer>> {
    const { client_id: clientId = null, provider = null } = filter;
    const read = (after: string | null, most: number): Promise<AccountWithStatus[]> =>
      this.database.withScope(caller.clients, (tx) =>
        this.store.list(tx, caller, { clientId, provider, after, limit: most }),
      );
    const question = { limit, cursor, filter: ['provider_accounts', filter] };
    return pageById(this.cursors, question, { read, render: (row) => this.store.render(caller, row) });
  }

  /** Throws `not_found`. */
  async get(caller: Caller, id: string): Promise<ApiResponse<ProviderAccountAnswer>> {
    const row = await this.database.withScope(caller.clients, (tx) => this.store.show(tx, caller, id));
    if (row === undefined) throw unknownObject('provider account');
    return new ApiResponse(await this.store.render(caller, row), { etag: etagOf(versionOf(row)) });
  }

  /** Throws `not_found` if its client or a client in `agent_clients` does not exist, `address_not_allowed`. */
  async create(
    caller: Caller,
    attempt: IdempotentRequest,
    { provider, client_id: clientId, name, api_key, ...input }: ProviderAccountInput,
  ): Promise<ApiResponse<ProviderAccountAnswer>> {
    const { settings } = patched(caller, { ...NO_SETTINGS, name, api_key }, input);
    const clients = [clientId, ...clientsOf(settings)];
    requireClients(caller, clients);
    await this.requireAllowed(input.base_url);
    const once = await this.idempotency.prepare(attempt);
    const id = newUuid();
    const outcome = await this.database.withScope(adminScope(caller), (tx) =>
      once(tx, async () => {
        await requireExisting(tx, caller, clients);
        await this.store.insert(tx, { id, client_id: clientId, provider }, settings);
        if (settings.backfill_days > 0) await requestBackfill(tx, { id, client_id: clientId }, settings.backfill_days);
        if (settings.poll_active_seconds !== null) await requestPoll(tx, { id, client_id: clientId });
        await journalChange(tx, caller, { action: 'provider_account.created', id });
        return { status: 201, kind: 'providerAccount', id };
      }),
    );
    this.notifier.notify('colloquy_workflow_commands');
    return withStatus(await this.get(caller, outcome.id), outcome.status);
  }

  /** Throws `not_found`, `precondition_failed`, `conflict`, `address_not_allowed`, `invalid_request`. */
  async update(
    caller: Caller,
    id: string,
    { patch, ifMatch }: { patch: ProviderAccountPatch; ifMatch?: string | undefined },
  ): Promise<ApiResponse<ProviderAccountAnswer>> {
    requireClients(caller, clientsOf(patch));
    await this.requireAllowed(patch.base_url);
    await this.database.withScope(adminScope(caller), async (tx) => {
      const before = await this.locked(tx, caller, id);
      requireMatch(revisionsOf(ifMatch), before.revision);
      const known = await this.store.settingsOf(before);
      requireKeyForNewOrigin(known, patch);
      const { settings, changes } = patched(caller, known, patch);
      if (changes.length === 0) return;
      await requireExisting(tx, caller, clientsOf(patch));
      await this.store.update(tx, caller, before, settings);
      await followUp(tx, before, { settings, changes });
      await journalChange(tx, caller, { action: 'provider_account.updated', id, changes });
      if (changesOrigin(known, patch))
        await journalChange(tx, caller, { action: 'provider_account.address_changed', id });
    });
    this.notifier.notify('colloquy_workflow_commands');
    await this.opened.find(id, { fresh: true });
    return this.get(caller, id);
  }

  /** From now on webhooks to the account get 404, and its secrets are gone. Throws `not_found`. */
  async remove(caller: Caller, id: string): Promise<void> {
    await this.database.withScope(adminScope(caller), async (tx) => {
      await this.store.remove(tx, caller, await this.locked(tx, caller, id));
      await cancelBackfill(tx, id);
      await endPoll(tx, id);
      await journalChange(tx, caller, { action: 'provider_account.deleted', id });
    });
    this.notifier.notify('colloquy_workflow_commands');
    await this.opened.find(id, { fresh: true });
  }

  /** Throws `address_not_allowed` if requests may not go to `baseUrl`. */
  private async requireAllowed(baseUrl: string | null | undefined): Promise<void> {
    if (baseUrl === null || baseUrl === undefined || !(await this.egress.isRefused(baseUrl))) return;
    throw new AppError('address_not_allowed', 'base_url must be https on a public address, or listed by the operator', {
      errors: [{ pointer: '/base_url', detail: 'is neither https on a public address nor listed' }],
    });
  }

  private async locked(tx: Transaction, caller: Caller, id: string): Promise<AccountRow> {
    const row = await this.store.find(tx, caller, id, { lock: true });
    if (row === null) throw unknownObject('provider account');
    return row;
  }
}

/**
 * Version for the entity tag. Progress and health change the response but not what a PATCH changes, so that `If-Match` compares
 * the revision only.
 */
const versionOf = ({ revision, backfill_version: progress, health }: AccountWithStatus): string =>
  progress === 0 && health === NO_HEALTH ? String(revision) : `${revision}.${progress}.${healthVersion(health)}`;
const revisionsOf = (ifMatch: string | undefined): string | undefined => ifMatch?.replace(/"(\d+)\.[\w.]+"/g, '"$1"');

/** Starts or cancels backfill and polling, and wakes live conversations, as the change requires. */
async function followUp(
  tx: Transaction,
  account: AccountRow,
  { settings, changes }: { settings: AccountSettings; changes: string[] },
): Promise<void> {
  const { backfill_days: days, poll_active_seconds: seconds } = settings;
  const mayAnswerNow = changes.includes('api_key') || changes.includes('base_url');
  if (changes.includes('backfill_days')) {
    if (days > 0) await requestBackfill(tx, account, days);
    else await cancelBackfill(tx, account.id);
  } else if (mayAnswerNow) {
    await resumeBackfill(tx, account.id);
  }
  if (changesWatchdog(account, settings)) await requestRearm(tx, account.id);
  if (mayAnswerNow) await tryCircuitNow(tx, account.id);
  if (seconds === null) await endPoll(tx, account.id);
  else if (mayAnswerNow || changes.includes('poll_active_seconds')) await requestPoll(tx, account);
}

/** Whether the timers of live conversations must be reset, because they run by the old setting. */
const changesWatchdog = ({ deadlines: before }: AccountRow, { deadlines: after }: AccountSettings): boolean =>
  before.silence !== after.silence || before.ask_every !== after.ask_every;

const clientsOf = ({ agent_clients: agents = [] }: Partial<Pick<AccountSettings, 'agent_clients'>>): string[] =>
  agents.map((entry) => entry.client_id);

/** Changes of accounts are entries of the system client's journal. */
const journalChange = (
  tx: Transaction,
  caller: Caller,
  { action, id, changes = [] }: { action: string; id: string; changes?: string[] },
): Promise<void> =>
  appendJournal(tx, [{ clientId: SYSTEM_CLIENT, action, objectIds: [id], actor: actorOf(caller), changes }]);
