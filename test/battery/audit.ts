// Checks everything after a run from outside: through the API as callers do, and in tables and files for duplicates.
// Returns complaints; none means that nothing was lost.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { uuidOf } from '../../src/common/ids.js';
import { openVault } from '../../src/vault/open-vault.js';
import { eventually } from '../support/eventually.js';
import { auditJournal } from '../support/journal-audit.js';
import type { Expected } from './providers/provider.js';
import type { Deployment } from './deployment.js';
import type { Ledger, Line } from './traffic.js';

/** A conversation as the list shows it to a key with the right to read content. */
interface Listed {
  id: string;
  provider_conversation_id: string;
  status: string;
  record_state: string;
  summary: string | null;
  end: { category: string } | null;
  completeness: Record<string, { state: string; reason: string | null }>;
}

const SIDE_BY_SIDE = 4;

/** All conversations of an account. */
export async function conversationsOf(deployment: Deployment, accountId: string): Promise<Listed[]> {
  const found: Listed[] = [];
  let cursor = '';
  do {
    const { status, body } = await deployment.call(
      `/v1/conversations?provider_account_id=${accountId}&view=full&limit=100${cursor}`,
    );
    if (status !== 200) throw new Error(`the list answered ${status}: ${JSON.stringify(body)}`);
    found.push(...(body['data'] as Listed[]));
    cursor = typeof body['next_cursor'] === 'string' ? `&cursor=${encodeURIComponent(body['next_cursor'])}` : '';
  } while (cursor !== '');
  return found;
}

/** Null if no fact, workflow command, journal entry or conversation is pending; otherwise a summary of what is. */
export async function waitsFor(sql: Pool): Promise<string | null> {
  const { rows } = await sql.query<{ what: string; n: number }>(`
    select 'fact ' || state as what, count(*)::int as n from inbox group by state
    union all select 'workflow command', count(*)::int from workflow_commands having count(*) > 0
    union all select 'journal entry', count(*)::int from journal_pending having count(*) > 0
    union all select 'conversation ' || record_state, count(*)::int from conversations
      where record_state <> 'settled' group by record_state`);
  return rows.length === 0 ? null : rows.map(({ what, n }) => `${n} × ${what}`).join(', ');
}

/** Checks that everything from an account's accepted webhooks is in its conversations, once, and can be read. */
export async function auditAccount(deployment: Deployment, line: Line, ledger: Ledger): Promise<string[]> {
  const { provider, accountId } = line;
  const listed = await conversationsOf(deployment, accountId);
  const accepted = ledger.accepted();
  const known = new Map(listed.map((found) => [found.provider_conversation_id, found]));
  const complaints = [...accepted.keys()].filter((id) => !known.has(id)).map((id) => `${id} is lost`);
  if (known.size !== listed.length) complaints.push(`${listed.length - known.size} conversations are there twice`);
  const queue = [...known];
  const lane = async (): Promise<void> => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const [providerId, found] = next;
      const wanted = provider.expected(providerId, accepted.get(providerId) ?? new Set());
      const wrong = await auditConversation(deployment, found, wanted);
      complaints.push(...wrong.map((what) => `${provider.name} ${providerId} (${found.id}): ${what}`));
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
  return complaints;
}

/** What is wrong with one conversation. */
export async function auditConversation(deployment: Deployment, found: Listed, wanted: Expected): Promise<string[]> {
  const wrong: string[] = [];
  const { transcript, audio } = found.completeness;
  if (found.record_state !== 'settled') wrong.push(`is ${found.record_state}`);
  if (found.end?.category === 'lost') wrong.push('was given up as lost');
  const says = await spokenIn(deployment, found.id);
  const isWhole = JSON.stringify(says) === JSON.stringify(wanted.spoken);
  if (!isWhole && (wanted.isRequired.words || wanted.spoken.length === 0))
    wrong.push(`${says.length} of ${wanted.spoken.length} things said (${transcript?.state}, ${transcript?.reason})`);
  if (wanted.isRequired.words && wanted.summary !== null && found.summary !== wanted.summary)
    wrong.push('another summary');
  const heard = await deployment.audio(found.id);
  if (heard === null && wanted.recording !== null && wanted.isRequired.recording)
    wrong.push(`no recording (${audio?.state}, ${audio?.reason})`);
  if (heard !== null && !heard.equals(wanted.recording ?? Buffer.alloc(0))) wrong.push('another recording');
  return wrong;
}

async function spokenIn(deployment: Deployment, id: string): Promise<string[]> {
  const { status, body } = await deployment.call(`/v1/conversations/${id}/transcript`);
  if (status !== 200) return [];
  const turns = body['turns'] as { role: string; text: string }[];
  return turns.filter(({ role }) => SPOKEN.has(role)).map(({ text }) => text);
}

/** Roles of turns that are neither tools nor events. */
const SPOKEN = new Set(['agent', 'customer', 'human_agent']);

const ONCE = `
select conversation_id, action, string_agg(concat_ws(' ', coalesce(reason, ''), actor_type, to_char(time, 'MI:SS.MS')), ', ') as entries
from journal
where action in ('conversation.created', 'conversation.ended', 'recording.stored')
group by conversation_id, action, reason having count(*) > 1`;

/** Checks that nothing happened or is stored twice. */
export async function auditOnce(deployment: Deployment, sql: Pool): Promise<string[]> {
  const { rows } = await sql.query<{ conversation_id: string; action: string; entries: string }>(ONCE);
  const complaints = rows.map(({ conversation_id, action, entries }) => `${conversation_id}: ${action} (${entries})`);
  const { rows: stored } = await sql.query<{ object_key: string }>('select object_key from recordings');
  const named = new Set(stored.map(({ object_key }) => object_key));
  // Objects of killed attempts: no record references them, and they are swept after a day.
  const { rows: loose } = await sql.query<{ object_key: string }>('select object_key from orphaned_objects');
  const known = new Set([...named, ...loose.map(({ object_key }) => object_key)]);
  const lying = new Set(objectsIn(deployment.recordingsDir));
  for (const name of lying) if (!known.has(name)) complaints.push(`nothing names the object ${name}`);
  for (const name of named) if (!lying.has(name)) complaints.push(`the object ${name} is gone`);
  return [...complaints, ...(await auditNumbers(sql))];
}

/** Checks that the whole journal is numbered. The latest entries get their numbers at the worker's next round. */
async function auditNumbers(sql: Pool): Promise<string[]> {
  const isNumbered = async (): Promise<boolean> => (await sql.query('select 1 from journal_pending')).rows.length === 0;
  await eventually(isNumbered).catch(() => undefined);
  return auditJournal(sql);
}

/** Keys of all objects of a folder, without incomplete uploads: those are invisible and swept after a day. */
export function objectsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => !name.endsWith('.part') && statSync(join(folder, name)).isFile()).sort();
}

/** Checks that every accepted webhook left its receipt, so that the same bytes are never applied again. */
export async function auditReceipts(deployment: Deployment, sql: Pool, lines: Map<Line, Ledger>): Promise<string[]> {
  const { env } = deployment;
  const vault = await openVault({
    keystoreUrl: env['KEYSTORE_DATABASE_URL'] ?? '',
    rootKeyFile: join(env['COLLOQUY_DATA_DIR'] ?? '', 'root.key'),
  });
  const complaints: string[] = [];
  for (const [{ accountId, provider }, ledger] of lines) {
    const uuid = uuidOf('providerAccount', accountId);
    const { rows } = await sql.query<{ hash: Buffer; client_id: string }>(
      `select r.hash, a.client_id from fact_receipts r join provider_accounts a on a.id = r.provider_account_id
       where a.id = $1`,
      [uuid],
    );
    const known = new Set(rows.map(({ hash }) => hash.toString('hex')));
    const clientId = rows[0]?.client_id ?? '';
    const hasher = await vault.identityHasher({ providerAccountId: uuid, clientId });
    const digests = ledger.acceptedBodies().map((body) => createHash('sha256').update(body).digest('hex'));
    const lost = digests.filter((digest) => !known.has(hasher.hash('fact', 'webhook', '', digest).toString('hex')));
    if (lost.length > 0) complaints.push(`${provider.name}: ${lost.length} accepted webhooks have no receipt`);
  }
  await vault.close();
  return complaints;
}

/** Conversations that the provider has and Colloquy does not: `lost` if one of their webhooks was accepted, else `unheardOf`. */
export async function gapOf(deployment: Deployment, { provider, accountId }: Line, ledger: Ledger) {
  const known = new Set((await conversationsOf(deployment, accountId)).map((found) => found.provider_conversation_id));
  const accepted = ledger.accepted();
  const missing = provider.listed().filter((id) => !known.has(id));
  return { lost: missing.filter((id) => accepted.has(id)), unheardOf: missing.filter((id) => !accepted.has(id)) };
}
