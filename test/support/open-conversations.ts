import type { Pool } from 'pg';

// Rows without their identities.
const ADD = `
insert into conversations (id, client_id, provider, provider_account_id, channel, status, record_state, start_time,
  last_fact_at, header, revision, created_at, updated_at)
select gen_random_uuid(), $1, 'retell', $1, 'phone', 'active', 'open', now(), now(), '', 1, now(), now()
from generate_series(1, $2::int) returning id`;

/** Conversations that have work, as plain rows without content; their uuids in order. */
export async function addOpenConversations(sql: Pool, clientId: string, count: number): Promise<string[]> {
  const client = await sql.connect();
  try {
    await client.query("set session_replication_role = 'replica'");
    const { rows } = await client.query<{ id: string }>(ADD, [clientId, count]);
    return rows.map(({ id }) => id).toSorted();
  } finally {
    client.release(true);
  }
}
