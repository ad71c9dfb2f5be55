// Full disks: a small tmpfs for Postgres and one for the recordings. Only part of `npm run battery`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { auditOnce, conversationsOf, objectsIn } from './audit.js';
import { startBattery, type Battery } from './installation.js';
import { say, secondsSince } from './report.js';
import { TmpfsDisk } from './tmpfs-disk.js';
import { finishedAt, send, untilSettled, wrongWith, type Sent } from './settled.js';
import { sizes } from './sizes.js';

const size = sizes();
const rooms: TmpfsDisk[] = [];
let battery: Battery;
let folder: string;
let [ofPostgres, ofRecordings]: TmpfsDisk[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'colloquy-full-'));
  const room = (name: string, megabytes: number): TmpfsDisk => {
    const made = new TmpfsDisk(join(folder, name), megabytes);
    rooms.push(made);
    return made;
  };
  ofPostgres = room('postgres', 320);
  ofRecordings = room('recordings', 512);
  const [postgresDir, recordingsDir] = [join(ofPostgres.folder, 'data'), ofRecordings.folder];
  battery = await startBattery({ postgresDir, recordingsDir });
}, 120_000);
afterAll(async () => {
  for (const room of rooms) room.empty();
  await battery?.close();
  for (const room of rooms) room.unmount();
  rmSync(folder, { recursive: true, force: true });
});

describe('a full disk of Postgres', () => {
  /** Enough for some more webhooks. */
  const SPARE_BYTES = 6 * 1024 * 1024;

  it(
    'refuses webhooks with 503, keeps the accepted ones complete, and continues once there is space',
    async () => {
      const sent: Sent[] = [];
      const refused: Sent[] = [];
      ofPostgres?.fill(SPARE_BYTES);
      for (let round = 0; round < 400 && refused.length < 40; round += 1) {
        const now = finishedAt(battery, `full ${round}`);
        const statuses = await Promise.all(now.map(send));
        for (const [index, status] of statuses.entries())
          expect([index, status]).toEqual([index, status === 200 ? 200 : 503]);
        refused.push(...now.filter((_, index) => statuses[index] !== 200));
        sent.push(...now);
      }
      say(`disk of Postgres full: ${sent.length - refused.length} webhooks accepted, then ${refused.length} refused`);
      expect(refused.length).toBeGreaterThanOrEqual(40);
      ofPostgres?.empty();
      // Postgres exits if it has no space for its WAL; a supervisor restarts it.
      say(`started again: ${(await battery.deployment.repair()).join(', ') || 'nothing'}`);
      await eventually(async () => (await battery.deployment.call('/readyz')).status === 200, 60);
      expect(await Promise.all(refused.map(send))).toEqual(refused.map(() => 200));
      await untilSettled(battery, size.settle);
      expect(await wrongWith(battery, sent)).toEqual([]);
      expect(await auditOnce(battery.deployment, battery.sql)).toEqual([]);
      expect(battery.deployment.losses).toEqual([]);
    },
    size.timeoutMs,
  );
});

describe('a full disk of recordings', () => {
  /** Longer than the account's deadline for audio: a full disk must not make a recording absent. */
  const FULL_MS = 25_000;

  const objects = (): string[] => objectsIn(battery.deployment.recordingsDir).filter((name) => name !== 'filler');

  it(
    'shows no incomplete recordings, waits for space however long, and then stores them',
    async () => {
      ofRecordings?.fill(16 * 1024);
      const before = objects();
      const sent = finishedAt(battery, 'without room for a recording');
      expect(await Promise.all(sent.map(send))).toEqual(sent.map(() => 200));
      await sleep(FULL_MS);
      expect(objects()).toEqual(before);
      const ids = new Set(sent.map(({ webhook }) => webhook.providerId));
      for (const { accountId } of battery.lines) {
        const waiting = (await conversationsOf(battery.deployment, accountId)).filter((one) =>
          ids.has(one.provider_conversation_id),
        );
        for (const { id, record_state, completeness } of waiting) {
          expect([record_state, completeness['audio']?.state]).toEqual(['settling', 'pending']);
          expect(await battery.deployment.audio(id)).toBeNull();
        }
      }
      ofRecordings?.empty();
      const from = Date.now();
      await untilSettled(battery, size.settle);
      say(`recordings stored ${secondsSince(from)} after there was space`);
      expect(await wrongWith(battery, sent)).toEqual([]);
      expect(await auditOnce(battery.deployment, battery.sql)).toEqual([]);
    },
    size.timeoutMs,
  );
});
