// What a worker removes of recordings at its start and each hour: objects that nobody can listen to.
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;
let conversationId: string;

beforeAll(async () => {
  colloquy = await install();
  const { call_id: callId } = colloquy.retell.addCall({}, 'housekeeping');
  await colloquy.send('call_started', callId);
  await colloquy.startWorker();
  ({ id: conversationId } = await colloquy.call(callId));
  await colloquy.stopWorkers();
});
afterAll(() => colloquy.close());

const DAY_MS = 86_400_000;

/** Writes a file of that age among the recordings; returns its key. */
function laid(name: string, ageMs: number): string {
  const key = `${colloquy.clientId}/${conversationId}/${name}`;
  const path = join(colloquy.config.dataDir, 'recordings', key);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'x');
  const time = new Date(Date.now() - ageMs);
  utimesSync(path, time, time);
  return key;
}

async function loose(ageMs: number): Promise<string> {
  const key = laid(`${newUuid()}.${newUuid()}`, ageMs);
  const text = 'insert into orphaned_objects (object_key, conversation_id, since) values ($1, $2, $3)';
  await colloquy.sql.query(text, [key, conversationId, new Date(Date.now() - ageMs)]);
  return key;
}

describe('a worker', () => {
  it('removes half-written and unreferenced objects that are older than a day, and no others', async () => {
    const kept = [laid('young.part', DAY_MS / 2), laid('unknown to us', 2 * DAY_MS), await loose(DAY_MS / 2)];
    laid('torn.part', 2 * DAY_MS);
    await loose(2 * DAY_MS);
    await colloquy.startWorker();
    await eventually(async () => colloquy.recordingFiles().length === kept.length);
    expect(colloquy.recordingFiles().sort()).toEqual(kept.sort());
  });
});
