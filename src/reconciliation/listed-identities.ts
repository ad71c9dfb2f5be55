// What our tables know of listed conversations, and the reservation under which one of them is imported.
import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { newUuid } from '../common/ids.js';
import { WorkerDatabase } from '../database/database.js';
import { isErasedAnywhere } from '../inbox/suppression.js';
import type { ListedIdentity } from './identify-listed.js';

/** A listed conversation as our tables know it. */
export interface KnownIdentity {
  /** The conversation exists, or facts that will create it wait in the inbox. */
  isKnown: boolean;
  /** It is erased or being erased, here or in another account of the client, and must never be imported again. */
  isErased: boolean;
  /** Its id, if it has settled: only then can its record be missing without a workflow that fetches it. */
  settledId: string | null;
}

export interface Reserved {
  conversationId: string;
  clientId: string;
}

/** Long enough for a slow record and a short recording. If it expires too early, the cost is a second request. */
const RESERVED_SECONDS = 60;

const KNOWN = `
select w.n::integer as n, c.id as conversation_id, c.record_state, exists (
  select from inbox f
  where f.provider_account_id = $1 and f.identity_hash = w.hash and f.state = 'pending'
) as waiting,
  ${isErasedAnywhere('coalesce(i.client_id, w.client_id)', 'coalesce(i.suppression_hash, w.suppression_hash)')} as is_erased
from unnest($2::bytea[], $3::uuid[], $4::bytea[]) with ordinality as w(hash, client_id, suppression_hash, n)
left join conversation_identities i on i.provider_account_id = $1 and i.identity_hash = w.hash
left join conversations c on c.id = i.id
order by w.n`;

interface Row {
  conversation_id: string | null;
  record_state: string | null;
  waiting: boolean;
  is_erased: boolean;
}

const CLAIM = `
insert into conversation_identities (id, client_id, provider_account_id, identity_hash, suppression_hash)
values ($1, $2, $3, $4, $5) on conflict do nothing`;
const LOCK = `
select coalesce(reserved_until > now() and reserved_by is distinct from $3, false) as busy
from conversation_identities where provider_account_id = $1 and identity_hash = $2 for no key update`;
// A separate statement after LOCK, so that it sees everything that was committed before the lock was acquired.
const RESERVE = `
update conversation_identities i set reserved_until = now() + make_interval(secs => ${RESERVED_SECONDS}), reserved_by = $3
where provider_account_id = $1 and identity_hash = $2 and state = 'live'
  and (reserved_until is null or reserved_until <= now() or reserved_by = $3)
  and not exists (select from conversations c where c.id = i.id)
  and not ${isErasedAnywhere('i.client_id', 'i.suppression_hash')}
  and not exists (
    select from inbox f
    where f.provider_account_id = i.provider_account_id and f.identity_hash = i.identity_hash and f.state = 'pending')
returning id as "conversationId", client_id as "clientId"`;
// The next one after a random hash, so that a conversation that is never delivered is not chosen every time.
const OTHER = (side: '>' | '<'): string => `(
select c.id from conversation_identities i join conversations c on c.id = i.id
where i.provider_account_id = $1 and i.identity_hash <> $2 and i.state = 'live' and i.identity_hash ${side} $3
order by i.identity_hash limit 1)`;
const OTHER_THAN = `${OTHER('>')} union all ${OTHER('<')} limit 1`;
const RELEASE = `
update conversation_identities set reserved_until = null, reserved_by = null
where provider_account_id = $1 and identity_hash = $2 and reserved_by = $3`;

@Injectable()
export class ListedIdentities {
  constructor(private readonly database: WorkerDatabase) {}

  /** What is known of each conversation of one account, in the given order. */
  async known(listed: ListedIdentity[]): Promise<KnownIdentity[]> {
    const [first] = listed;
    if (first === undefined) return [];
    const values = [
      first.accountId,
      listed.map(({ hash }) => hash),
      listed.map(({ clientId }) => clientId),
      listed.map(({ suppressionHash }) => suppressionHash),
    ];
    const rows = await this.database.withScope('all', (tx) => tx.query<Row>({ name: 'known', text: KNOWN, values }));
    return rows.map((row) => ({
      isKnown: row.conversation_id !== null || row.waiting,
      isErased: row.is_erased,
      settledId: row.record_state === 'settled' && !row.waiting ? row.conversation_id : null,
    }));
  }

  /**
   * Reserves the conversation for `by` and creates its identity row; its other facts wait for at most a minute.
   * `known`: it exists already, facts wait for it, or it was erased; `busy`: somebody else has reserved it.
   */
  async reserve(
    { accountId, hash, clientId, suppressionHash }: ListedIdentity,
    by: string,
  ): Promise<Reserved | 'known' | 'busy'> {
    return this.database.withScope('all', async (tx) => {
      const own = [accountId, hash, by];
      const [, [lock], [reserved]] = await Promise.all([
        tx.query({ name: 'claim', text: CLAIM, values: [newUuid(), clientId, accountId, hash, suppressionHash] }),
        tx.query<{ busy: boolean }>({ name: 'reserve_lock', text: LOCK, values: own }),
        tx.query<{ conversationId: string; clientId: string }>({ name: 'reserve', text: RESERVE, values: own }),
      ]);
      return reserved ?? (lock?.busy === true ? 'busy' : 'known');
    });
  }

  /** Another known conversation of the account, chosen at random; null: there is none. */
  async otherThan(accountId: string, hash: Buffer): Promise<string | null> {
    const [found] = await this.database.withScope('all', (tx) =>
      tx.query<{ id: string }>({ text: OTHER_THAN, values: [accountId, hash, randomBytes(hash.length)] }),
    );
    return found?.id ?? null;
  }

  async release({ accountId, hash }: ListedIdentity, by: string): Promise<void> {
    await this.database.withScope('all', (tx) =>
      tx.query({ name: 'release', text: RELEASE, values: [accountId, hash, by] }),
    );
  }
}
