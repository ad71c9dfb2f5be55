// Large bodies have a separate lane: whatever delays one of them, small ones are answered.
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { startDoor, type Door } from '../support/door.js';
import { eventually } from '../support/eventually.js';

const WAITING = `
select 1 from pg_stat_activity
where wait_event_type = 'Lock' and application_name = 'colloquy_ingest' and datname = current_database()`;

let door: Door;
let account: string;

beforeAll(async () => {
  door = await startDoor();
  account = publicId('providerAccount', await door.addAccount({ provider: 'retell', api_key: 'key_own' }));
});
afterAll(() => door.close());

async function send(callId: string, padding: number): Promise<string> {
  const call = { call_id: callId, call_type: 'web_call', agent_id: 'agent_1', call_status: 'ongoing' };
  const rawBody = Buffer.from(JSON.stringify({ event: 'call_started', call, padding: 'x'.repeat(padding) }));
  const at = String(Date.now());
  const digest = createHmac('sha256', 'key_own').update(rawBody).update(at).digest('hex');
  const headers = { 'x-retell-signature': `v=${at},d=${digest}` };
  return (await door.receive(account, { rawBody, headers })).result;
}

describe('a webhook of 1 MiB whose row is locked', () => {
  it('does not delay small ones', async () => {
    expect(await send('call_large', 1024 * 1024)).toBe('stored');
    const holder = await door.sql.connect();
    try {
      await holder.query('begin');
      await holder.query('delete from fact_receipts');
      const large = send('call_large', 1024 * 1024);
      await eventually(async () => (await door.sql.query(WAITING)).rows.length > 0);
      expect(await send('call_small', 10)).toBe('stored');
      await holder.query('rollback');
      expect(await large).toBe('duplicate');
    } finally {
      holder.release(true);
    }
  });
});
