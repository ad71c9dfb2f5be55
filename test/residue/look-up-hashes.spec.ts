// The keyed hashes for look-ups of conversations are in files of the search database, but in none of the content database
// and the keystore: not in a table, an index or the WAL. So no backup of those contains one.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type EmbeddedPostgres } from '../../src/embedded/postgres/postgres.js';
import { prepareTemplates } from '../support/databases.js';
import { install, type Installation } from '../support/installation.js';
import { openWorkerParts } from '../support/worker-parts.js';
import { filesBelow, scanFiles } from './scan.js';

let folder: string;
let content: EmbeddedPostgres;
let search: EmbeddedPostgres;
let colloquy: Installation;
let hashes: Record<string, Buffer>;

const NUMBER = '+12025550142';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'colloquy-hashes-'));
  [content, search] = await Promise.all([
    startPostgres({ dataDir: join(folder, 'content'), databases: [] }),
    startPostgres({ dataDir: join(folder, 'search'), databases: [] }),
  ]);
  const servers = { content: content.url('postgres'), search: search.url('postgres') };
  for (const url of Object.values(servers)) await prepareTemplates(url);
  colloquy = await install({ postgres: servers });
  await takeInCalls();
  const hasher = await colloquy.vault.indexHasher(colloquy.clientId);
  hashes = {
    number: hasher.hash('phone', NUMBER),
    'last four digits': hasher.hash('phone_last4', '0142'),
    'corrected number': hasher.hash('phone', '+12025550199'),
    'provider id': hasher.hash('provider_id', 'call_hashes'),
    correlation: hasher.hash('correlation', 'twilio.call_sid', 'CA17'),
    metadata: hasher.hash('metadata', 'order', 'A-17'),
    'transfer target': hasher.hash('transfer_target', '+12025550177'),
  };
  for (const server of [content, search]) await flush(server);
}, 120_000);

afterAll(async () => {
  await colloquy?.close();
  await Promise.all([content?.stop(), search?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** Ingests and indexes a call, corrects it and indexes it again. */
async function takeInCalls(): Promise<void> {
  const { intake, indexer, close } = await openWorkerParts(colloquy.config);
  const { call_id: callId } = colloquy.retell.addCompleteCall({
    call_id: 'call_hashes',
    direction: 'inbound',
    from_number: NUMBER,
    metadata: { order: 'A-17' },
    telephony_identifier: { twilio_call_sid: 'CA17' },
    transfer_destination: '+12025550177',
  });
  await colloquy.send('transfer_bridged', callId);
  await colloquy.send('call_analyzed', callId);
  await intake.round();
  await indexer.round();
  colloquy.retell.calls.update(callId, { from_number: '+12025550199' });
  await colloquy.send('call_analyzed', callId);
  await intake.round();
  await indexer.round();
  await close();
}

/** Forces all writes into files. */
async function flush(server: EmbeddedPostgres): Promise<void> {
  const admin = new Client({ connectionString: server.url('postgres') });
  await admin.connect();
  await admin.query('checkpoint');
  await admin.end();
}

const found = (cluster: string): string[] =>
  [...new Set(scanFiles(filesBelow(join(folder, cluster)), hashes).map(({ canary }) => canary))].sort();

describe('look-up hashes', () => {
  it('are in the files of the search database, including the replaced one', () => {
    expect(found('search')).toEqual(Object.keys(hashes).sort());
  });

  it('are in no file of the content database and the keystore, including the WAL', async () => {
    expect((await colloquy.conversations()).map(({ revision }) => revision)).toEqual([2]);
    expect(filesBelow(join(folder, 'content')).some((file) => file.includes('pg_wal'))).toBe(true);
    expect(found('content')).toEqual([]);
  });
});
