// Retries parked facts in bulk, once their common cause has been fixed.
import { Injectable } from '@nestjs/common';
import { actorOf, clientFilterOf, type Caller } from '../access/caller.js';
import { Idempotency, type IdempotentRequest } from '../access/idempotency.js';
import { ApiResponse } from '../http/api-response.js';
import { newUuid } from '../common/ids.js';
import { ApiDatabase } from '../database/database.js';
import { Notifier } from '../database/notifier.js';
import type { Transaction } from '../database/with-scope.js';
import { appendJournal } from '../journal/append.js';
import type { RetriedFacts, RetryInput } from './parked-fact.schema.js';

/** Per request, which is one transaction. */
export const MAX_RETRIED = 1_000;

const RETRY = `
with picked as (
  select f.id, i.id as identity_id, i.client_id, f.parked_reason from inbox f
  join conversation_identities i on i.provider_account_id = f.provider_account_id and i.identity_hash = f.identity_hash
  where f.state = 'parked' and ($1::uuid[] is null or i.client_id = any($1::uuid[]))
    and ($2::text is null or f.parked_reason = $2) and ($3::uuid is null or f.provider_account_id = $3)
  order by f.parked_at, f.id limit ${MAX_RETRIED} for no key update of f skip locked
)
update inbox f set state = 'pending', attempts = 0, postponements = 0, retry_at = null, parked_at = null, parked_reason = null
from picked where f.id = picked.id returning f.id, picked.identity_id, picked.client_id, picked.parked_reason as reason`;

interface Retried {
  id: string;
  identity_id: string;
  client_id: string;
  reason: string | null;
}

@Injectable()
export class ParkedFactsRetry {
  constructor(
    private readonly database: ApiDatabase,
    private readonly idempotency: Idempotency,
    private readonly notifier: Notifier,
  ) {}

  /** Makes parked facts pending again, the longest parked first, at most {@link MAX_RETRIED}; returns how many. */
  async retryAll(caller: Caller, request: IdempotentRequest, input: RetryInput): Promise<ApiResponse<RetriedFacts>> {
    const once = await this.idempotency.prepare(request);
    const { status, count } = await this.database.withScope(caller.clients, (tx) =>
      once(tx, async () => {
        const retried = await release(tx, caller, input);
        return { status: 202, kind: 'parkedFact', id: newUuid(), count: retried };
      }),
    );
    this.notifier.notify('colloquy_inbox');
    return new ApiResponse({ retried: count ?? 0 }, { status });
  }
}

async function release(tx: Transaction, caller: Caller, input: RetryInput): Promise<number> {
  const values = [clientFilterOf(caller), input.reason ?? null, input.provider_account_id ?? null];
  const rows = await tx.query<Retried>({ text: RETRY, values });
  const actor = actorOf(caller);
  await appendJournal(
    tx,
    rows.map(({ id, identity_id: conversationId, client_id: clientId, reason }) => ({
      clientId,
      conversationId,
      action: 'fact.retried',
      objectIds: [id],
      actor,
      reason,
    })),
  );
  return rows.length;
}
