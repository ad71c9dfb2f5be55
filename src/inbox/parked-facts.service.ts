// Lists and retries parked facts for operators. The identity row says which client a fact belongs to.
import { Injectable } from '@nestjs/common';
import { unknownObject } from '../access/admin.js';
import { actorOf, clientFilterOf, type Caller } from '../access/caller.js';
import { Idempotency, type IdempotentRequest } from '../access/idempotency.js';
import { ApiResponse, type List } from '../http/api-response.js';
import { Cursors } from '../http/cursor.js';
import { AppError } from '../common/errors.js';
import { publicId } from '../common/ids.js';
import { pageById } from '../http/page.js';
import { ApiDatabase } from '../database/database.js';
import { Notifier } from '../database/notifier.js';
import type { Transaction } from '../database/with-scope.js';
import { appendJournal } from '../journal/append.js';
import type { FactSource } from './inbox-fact.js';
import type { ParkedFact, ParkedFactQuery } from './parked-fact.schema.js';

interface Row {
  id: string;
  state: 'parked' | 'pending';
  identity_id: string;
  client_id: string;
  provider_account_id: string;
  conversation_id: string | null;
  source: FactSource;
  kind: string;
  parked_reason: string | null;
  attempts: number;
  received_at: Date;
  parked_at: Date | null;
}

const IDENTITY = 'i.provider_account_id = f.provider_account_id and i.identity_hash = f.identity_hash';
const VISIBLE = '($1::uuid[] is null or i.client_id = any($1::uuid[]))';
const SELECT = `
select f.id, f.state, i.id as identity_id, i.client_id, f.provider_account_id, c.id as conversation_id, f.source, f.kind,
  f.parked_reason, f.attempts, f.received_at, f.parked_at
from inbox f
join conversation_identities i on ${IDENTITY}
left join conversations c on c.id = i.id and c.client_id = i.client_id
where ${VISIBLE}`;
const LIST = `${SELECT} and f.state = 'parked' and ($2::uuid is null or i.client_id = $2)
  and ($3::uuid is null or f.provider_account_id = $3) and ($4::uuid is null or f.id > $4)
order by f.id limit $5`;
const FIND = `${SELECT} and f.id = $2`;
const RETRY = `
update inbox f set state = 'pending', attempts = 0, postponements = 0, retry_at = null, parked_at = null, parked_reason = null
from conversation_identities i
where ${VISIBLE} and ${IDENTITY} and f.id = $2 and f.state = 'parked' returning f.id`;

@Injectable()
export class ParkedFactsService {
  constructor(
    private readonly database: ApiDatabase,
    private readonly idempotency: Idempotency,
    private readonly cursors: Cursors,
    private readonly notifier: Notifier,
  ) {}

  list(caller: Caller, { limit, cursor, ...filter }: ParkedFactQuery): Promise<List<ParkedFact>> {
    const { client_id: client = null, provider_account_id: account = null } = filter;
    const read = (after: string | null, most: number): Promise<Row[]> =>
      this.database.withScope(caller.clients, (tx) =>
        tx.query<Row>({ text: LIST, values: [clientFilterOf(caller), client, account, after, most] }),
      );
    const page = { limit, cursor, filter: ['parked_facts', filter] };
    return pageById(this.cursors, page, { read, render: async (row) => render(row) });
  }

  /** Makes a fact pending again, with all its attempts. Throws `not_found`, or `invalid_state` if it is pending already. */
  async retry(caller: Caller, request: IdempotentRequest, id: string): Promise<ApiResponse<ParkedFact>> {
    const once = await this.idempotency.prepare(request);
    const { row, status } = await this.database.withScope(caller.clients, async (tx) => {
      const outcome = await once(tx, async () => {
        await this.release(tx, caller, id);
        return { status: 202, kind: 'parkedFact', id };
      });
      return { row: await find(tx, caller, id), status: outcome.status };
    });
    this.notifier.notify('colloquy_inbox');
    return new ApiResponse(row === undefined ? applied(id) : render(row), { status });
  }

  private async release(tx: Transaction, caller: Caller, id: string): Promise<void> {
    const row = await find(tx, caller, id);
    if (row === undefined) throw unknownObject('parked fact');
    const released = await tx.query({ text: RETRY, values: [clientFilterOf(caller), id] });
    if (released.length === 0)
      throw new AppError('invalid_state', 'this fact is not parked: it is about to be applied');
    await appendJournal(tx, [
      {
        clientId: row.client_id,
        conversationId: row.identity_id,
        action: 'fact.retried',
        objectIds: [id],
        actor: actorOf(caller),
        reason: row.parked_reason,
      },
    ]);
  }
}

const find = async (tx: Transaction, caller: Caller, id: string): Promise<Row | undefined> =>
  (await tx.query<Row>({ text: FIND, values: [clientFilterOf(caller), id] }))[0];

const render = (row: Row): ParkedFact => ({
  id: publicId('parkedFact', row.id),
  object: 'parked_fact',
  state: row.state,
  client_id: publicId('client', row.client_id),
  provider_account_id: publicId('providerAccount', row.provider_account_id),
  conversation_id: row.conversation_id === null ? null : publicId('conversation', row.conversation_id),
  source: row.source,
  kind: row.kind,
  reason: row.parked_reason,
  attempts: row.attempts,
  received_at: row.received_at.toISOString(),
  parked_at: row.parked_at?.toISOString() ?? null,
});

/** For a repeated request after the fact has left the inbox: only its id is still known. */
const applied = (id: string): ParkedFact => ({
  id: publicId('parkedFact', id),
  object: 'parked_fact',
  state: 'applied',
  client_id: null,
  provider_account_id: null,
  conversation_id: null,
  source: null,
  kind: null,
  reason: null,
  attempts: 0,
  received_at: null,
  parked_at: null,
});
