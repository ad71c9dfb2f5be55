// Rows of conversations, and how to find one that a caller may see.
import { clientFilterOf, type Caller } from '../access/caller.js';
import { AppError } from '../common/errors.js';
import { columnNames } from '../database/entities/column-names.js';
import { ConversationEntity } from '../database/entities/conversation.entity.js';
import type { Transaction } from '../database/with-scope.js';
import type { PlainValues } from '../providers/plain-fields.js';

export interface RecordingRow {
  id: string;
  variant: string;
  content_type: string;
  bytes: number;
  duration_ms: number | null;
}

/** Columns that the API never shows. */
const HIDDEN = ['last_fact_at', 'unfetched'] as const;
/** The header, by class. */
const HEADERS = ['header', 'transcript_header', 'analysis_header'] as const;

/** A row with more exact types for some columns. Does not compile if a column is missing or has another type. */
type Narrowed<Row, Columns extends { [Name in keyof Columns]: Name extends keyof Row ? Row[Name] : never }> = Columns &
  Omit<Row, keyof Columns>;

export interface ConversationRow extends Narrowed<
  Omit<ConversationEntity, (typeof HIDDEN)[number] | (typeof HEADERS)[number]>,
  PlainValues
> {
  /** The sealed header in its parts; null if the statement does not read it. */
  header: Buffer | null;
  transcript_header: Buffer | null;
  analysis_header: Buffer | null;
  recordings: RecordingRow[];
}

const NOT_PLAIN = new Set<string>([...HIDDEN, ...HEADERS]);
const PLAIN_COLUMNS = columnNames(ConversationEntity).filter((name) => !NOT_PLAIN.has(name));

const RECORDINGS = `
coalesce((select json_agg(json_build_object('id', r.id, 'variant', r.variant, 'content_type', r.content_type, 'bytes', r.bytes,
  'duration_ms', r.duration_ms) order by r.variant) from recordings r where r.conversation_id = c.id and r.client_id = c.client_id),
  '[]') as recordings`;

/** Select list over `conversations c`; with the header only if it will be opened. */
export const columns = ({ header }: { header: boolean }): string =>
  [
    ...PLAIN_COLUMNS.map((name) => `c.${name}`),
    ...HEADERS.map((name) => (header ? `c.${name}` : `null::bytea as ${name}`)),
    RECORDINGS,
  ].join(', ');

interface IdentityColumns {
  identity_state: string;
  erased_at: Date | null;
  /** Null: the identity exists, but its first fact has not been applied yet. */
  revision: number | null;
}

/**
 * A statement that reads conversations ($1) of clients ($2, null: all) with their identity rows, for {@link requireVisible}.
 * `columns` may name those of `c` and of joined tables.
 */
export const conversationStatement = (columns: string, join = ''): string => `
select ${columns}, c.revision, i.id as find_id, i.state as identity_state, i.erased_at
from conversation_identities i left join conversations c on c.id = i.id and c.client_id = i.client_id ${join}
where i.id = any($1::uuid[]) and ($2::uuid[] is null or i.client_id = any($2))`;

/** Returns the first row. Throws `not_found` (also for another client's conversation) or `erased`. */
export function requireVisible<Row extends object>(rows: Row[]): Row {
  const [found] = rows as (Row & IdentityColumns)[];
  if (found === undefined) throw new AppError('not_found', 'there is no such conversation');
  if (found.identity_state !== 'live') {
    throw new AppError('erased', 'the conversation was erased', {
      members: { erased_at: found.erased_at?.toISOString() ?? null },
    });
  }
  if (found.revision === null) throw new AppError('not_found', 'there is no such conversation');
  return found;
}

const FIND = conversationStatement(columns({ header: true }));

/** Reads a conversation. Throws `not_found` (also for another client's) or `erased`; checks the identity row each time. */
export async function findConversation(tx: Transaction, caller: Caller, id: string): Promise<ConversationRow> {
  const values = [[id], clientFilterOf(caller)];
  return requireVisible(await tx.query<ConversationRow>({ name: 'conversation_by_id', text: FIND, values }));
}

/** Only compliance may read the content of a restricted conversation (GDPR Art. 18). Throws `restricted`. */
export function refuseRestricted(caller: Caller, { restricted }: Pick<ConversationRow, 'restricted'>): void {
  if (restricted && caller.role !== 'compliance') {
    throw new AppError('restricted', 'processing of this conversation is restricted');
  }
}
