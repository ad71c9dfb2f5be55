import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { startApi, type Api } from '../support/api.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;
let api: Api;

beforeAll(async () => {
  colloquy = await install();
  api = await startApi(colloquy);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

const HOUR = 3_600_000;

/** A call that began so many hours ago with this version of the agent; returns its stored row. */
async function call(agent: string, version: number, hoursAgo: number) {
  const { call_id: callId } = colloquy.retell.addCompleteCall({
    call_id: `${agent}_${version}_${hoursAgo}`,
    agent_id: agent,
    agent_version: version,
    start_timestamp: Date.now() - hoursAgo * HOUR,
  });
  await colloquy.send('call_analyzed', callId);
  return colloquy.settled(callId);
}

async function agentOf({ agent_id: id }: { agent_id: string | null }) {
  const { body } = await api.call('GET', '/v1/agents?limit=200', { key: api.adminKey });
  const agents = body['data'] as { id: string; version: string | null; updated_at: string }[];
  const { rows } = await colloquy.sql.query<{ revision: number }>('select revision from agents where id = $1', [id]);
  return { ...agents.find((agent) => agent.id === publicId('agent', id ?? '')), revision: rows[0]?.revision };
}

describe("an agent's version", () => {
  it('is that of its latest conversation, while each conversation keeps its own', async () => {
    const first = await call('agent_follows', 3, 2);
    expect(await agentOf(first)).toMatchObject({ version: '3', revision: 1 });
    const second = await call('agent_follows', 4, 1);
    expect(second.agent_id).toBe(first.agent_id);
    expect(await agentOf(first)).toMatchObject({ version: '4', revision: 2 });
    expect([first.agent_version, second.agent_version]).toEqual(['3', '4']);
    expect((await colloquy.call('agent_follows_3_2')).agent_version).toBe('3');
  });

  it('does not go back if an earlier conversation arrives later', async () => {
    const latest = await call('agent_stays', 7, 1);
    await call('agent_stays', 6, 5);
    await call('agent_stays', 7, 0);
    await call('agent_stays', 5, 2);
    expect(await agentOf(latest)).toMatchObject({ version: '7', revision: 1 });
  });

  it('stays if it was rolled back and a conversation from in between arrives later', async () => {
    const first = await call('agent_rolled_back', 1, 9);
    await call('agent_rolled_back', 1, 3);
    await call('agent_rolled_back', 2, 6);
    expect(await agentOf(first)).toMatchObject({ version: '1', revision: 1 });
  });

  it('changes nothing while it is the same', async () => {
    const one = await call('agent_same', 1, 2);
    const before = await agentOf(one);
    await call('agent_same', 1, 1);
    await call('agent_same', 1, 0);
    expect(await agentOf(one)).toEqual(before);
  });

  it('is added to an agent that was known only as the target of a transfer', async () => {
    const { rows } = await colloquy.sql.query<{ id: string }>(
      `insert into agents (id, client_id, provider_account_id, provider_agent_hash, sealed)
       select gen_random_uuid(), $1, $2, $3, sealed from agents limit 1 returning id`,
      [colloquy.clientId, colloquy.accountId, await hashOf('agent_target')],
    );
    const { agent_id: id } = await call('agent_target', 2, 1);
    expect(id).toBe(rows[0]?.id);
    const { rows: stored } = await colloquy.sql.query('select version from agents where id = $1', [id]);
    expect(stored).toEqual([{ version: '2' }]);
  });
});

async function hashOf(agent: string): Promise<Buffer> {
  const { accountId: providerAccountId, clientId } = colloquy;
  return (await colloquy.vault.identityHasher({ providerAccountId, clientId })).hash('provider_id', 'agent', agent);
}
