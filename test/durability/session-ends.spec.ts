// What remains when the connection of a worker to Temporal ends because one of its workers cannot be created.
import { Writable } from 'node:stream';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { Log } from '../../src/common/log.js';
import { TemporalWorker } from '../../src/temporal/temporal-worker.js';
import { createWorker } from '../../src/worker.setup.js';
import { guardTemporal, type GuardedTemporal } from '../support/guarded-temporal.js';
import { eventually, install, type Installation } from '../support/installation.js';

const FAILURES = 3;

let colloquy: Installation | undefined;
let way: GuardedTemporal | undefined;

afterAll(async () => {
  await colloquy?.close();
  await way?.close();
});

describe('the session of a worker with Temporal', () => {
  it('logs what ended it, and leaves no connection open', { timeout: 90_000 }, async () => {
    colloquy = await install();
    way = await guardTemporal(inject('services').temporalAddress, {});
    let said = '';
    const output = new Writable({ write: (line, _encoding, done) => ((said += String(line)), done()) });
    const config = { ...colloquy.config, temporal: { ...colloquy.config.temporal, address: way.address } };
    const parts = await createWorker(config, new Log('warn', output), {
      workflowBundle: '/nowhere/workflow-bundle.js',
    });
    const worker = parts.get(TemporalWorker, { strict: false });
    worker.start();
    const away = (): string[] => said.split('\n').filter((line) => line.includes('Temporal is unavailable'));
    await eventually(async () => away().length >= FAILURES, 60);
    for (const line of away()) expect(JSON.parse(line)).toMatchObject({ err: { code: 'ENOENT' } });
    const { connections } = way;
    // One session may be in progress.
    expect(connections).toBeLessThanOrEqual(1);
    await worker.stop();
    await parts.close();
  });
});
