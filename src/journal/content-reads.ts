// Journals every read of content before its first byte is sent. Entries of concurrent reads share a commit.
import { Injectable } from '@nestjs/common';
import { Batcher } from '../common/batcher.js';
import { newUuid } from '../common/ids.js';
import { ApiDatabase } from '../database/database.js';
import { listedHash } from './entry-line.js';

/** The API key that reads: its uuid and its public id. */
interface Reader {
  keyId: string;
  keyName: string;
}

export type ContentKind = 'detail' | 'transcript' | 'audio';

interface Entry {
  id: string;
  client_id: string;
  conversation_id: string | null;
  api_key_id: string;
  actor_id: string;
  kind: string;
  /** Of a page: its conversations, and their hash as hex after `\\x`. */
  listed: string[];
  listed_hash: string | null;
}

/**
 * Reads of one conversation share an entry per 5-minute slot: whoever inserts the row in content_reads writes it. A list page
 * always writes an entry.
 */
const RECORD = `
with incoming as (
  select * from json_to_recordset($1::json) as e(id uuid, client_id uuid, conversation_id uuid, api_key_id uuid,
    actor_id text, kind text, listed uuid[], listed_hash bytea)
), reads as (
  select distinct on (client_id, api_key_id, conversation_id, kind) *, date_bin('5 minutes', now(), 'epoch') as slot
  from incoming where conversation_id is not null order by client_id, api_key_id, conversation_id, kind
), marks as (
  insert into content_reads (client_id, api_key_id, conversation_id, kind, slot)
  select client_id, api_key_id, conversation_id, kind, slot from reads on conflict do nothing
  returning client_id, api_key_id, conversation_id, kind
), due as (
  select r.* from reads r join marks using (client_id, api_key_id, conversation_id, kind)
), entries as (
  insert into journal (id, client_id, conversation_id, action, actor_type, actor_id, purpose, listed_hash)
  select id, client_id, conversation_id, 'content.read', 'key', actor_id, kind, null from due
  union all
  select id, client_id, null, 'content.listed', 'key', actor_id, kind, listed_hash from incoming where conversation_id is null
  returning position, id
), pages as (
  insert into journal_listed (conversation_id, client_id, position)
  select unnest(listed), client_id, position from incoming join entries using (id) where conversation_id is null
)
select 1000 * extract(epoch from date_bin('5 minutes', now(), 'epoch') + interval '5 minutes' - now())::float8 as left_ms`;

const MAX_BATCH = 128;
const MAX_KNOWN = 10_000;

@Injectable()
export class ContentReads {
  private readonly batcher: Batcher<Entry, number>;
  /** Key, conversation and kind of committed entries → end of their slot. An audio player that seeks sends a request a second. */
  private readonly known = new Map<string, number>();

  constructor(private readonly database: ApiDatabase) {
    this.batcher = new Batcher((entries) => this.write(entries), { maxItems: MAX_BATCH, concurrency: 2 });
  }

  /** Journals a read of one conversation's content. Send the content only after this resolves. */
  async record(reader: Reader, conversation: { id: string; client_id: string }, kind: ContentKind): Promise<void> {
    const name = `${reader.keyId} ${conversation.id} ${kind}`;
    if (performance.now() < (this.known.get(name) ?? 0)) return;
    const until = await this.batcher.add({
      ...entryOf(reader, conversation.client_id, kind),
      conversation_id: conversation.id,
      listed: [],
      listed_hash: null,
    });
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(name, until);
  }

  /** Journals a list page with content: one entry per client, with all its conversations. */
  async recordPage(reader: Reader, conversations: { id: string; client_id: string }[]): Promise<void> {
    const clients = new Set(conversations.map(({ client_id }) => client_id));
    const entries = [...clients].map((clientId) => {
      const listed = conversations.filter(({ client_id }) => client_id === clientId).map(({ id }) => id);
      const listed_hash = `\\x${listedHash(listed).toString('hex')}`;
      return { ...entryOf(reader, clientId, 'list'), conversation_id: null, listed, listed_hash };
    });
    await Promise.all(entries.map((entry) => this.batcher.add(entry)));
  }

  /** Resolves with the end of the slot on this process's clock (`performance.now()`), never later than by Postgres's clock. */
  private async write(entries: Entry[]): Promise<number[]> {
    const sentAt = performance.now();
    // A batch holds entries of several callers, each of whom was authorised for its client when the rows were read.
    const clients = [...new Set(entries.map(({ client_id }) => client_id))];
    const statement = { name: 'content_reads', text: RECORD, values: [JSON.stringify(entries)] };
    const [answer] = await this.database.once<{ left_ms: number }>(clients, statement);
    return entries.map(() => sentAt + (answer?.left_ms ?? 0));
  }
}

const entryOf = (
  reader: Reader,
  clientId: string,
  kind: string,
): Pick<Entry, 'id' | 'client_id' | 'api_key_id' | 'actor_id' | 'kind'> => ({
  id: newUuid(),
  client_id: clientId,
  api_key_id: reader.keyId,
  actor_id: reader.keyName,
  kind,
});
