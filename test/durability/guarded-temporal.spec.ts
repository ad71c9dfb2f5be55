// A Temporal that does not let us manage search attributes, as Temporal Cloud and authorizers do.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { startTemporal, type EmbeddedTemporal } from '../../src/embedded/temporal/temporal.js';
import { guardTemporal, type GuardedTemporal } from '../support/guarded-temporal.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { endPrograms, startProgram, startWorkerProgram } from '../support/programs.js';

const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;
const NAMESPACE = 'cloud';

let bare: EmbeddedTemporal;
let guarded: GuardedTemporal | undefined;
let colloquy: Installation | undefined;

beforeAll(async () => {
  const { temporalCli: binary, runDir } = inject('services');
  // Its namespace has none of our search attributes.
  bare = await startTemporal({
    binary,
    dbFile: join(runDir, 'bare-temporal.db'),
    namespaces: [NAMESPACE],
    searchAttributes: [],
    uiPort: false,
    durable: false,
  });
}, 60_000);
afterEach(async () => {
  endPrograms();
  await colloquy?.close();
  await guarded?.close();
});
afterAll(() => bare.stop());

/** Runs a conversation from its first webhook to its settled record; returns the search attributes of its workflow. */
async function lifeIn(installation: Installation): Promise<Record<string, unknown>> {
  const { callId, handle } = await installation.liveCall();
  installation.finish(callId);
  await installation.send('call_ended', callId);
  await installation.settled(callId);
  await handle.result();
  const { typedSearchAttributes } = await handle.describe();
  return Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
}

describe('a Temporal that forbids listing and adding search attributes', () => {
  it('works; its workflows have none if it knows none, and the log says so once', async () => {
    guarded = await guardTemporal(bare.address, { OperatorService: PERMISSION_DENIED });
    colloquy = await install({ temporal: { address: bare.address, namespace: NAMESPACE } });
    const worker = await startWorkerProgram({ ...colloquy.env, TEMPORAL_ADDRESS: guarded.address });
    for (let count = 0; count < 2; count += 1) expect(await lifeIn(colloquy)).not.toHaveProperty('Provider');
    expect(guarded.refused.some((path) => path.endsWith('/ListSearchAttributes'))).toBe(true);
    const said = worker.said();
    expect(said.match(/does not allow managing search attributes/g)).toHaveLength(1);
    expect(said.match(/does not know our search attributes/g)).toHaveLength(1);
    expect(said).not.toContain('Temporal is unavailable');
  }, 60_000);

  it('has them if somebody else registered them, even without the operator service', async () => {
    guarded = await guardTemporal(inject('services').temporalAddress, { OperatorService: UNIMPLEMENTED });
    colloquy = await install();
    await startWorkerProgram({ ...colloquy.env, TEMPORAL_ADDRESS: guarded.address });
    expect(await lifeIn(colloquy)).toMatchObject({ Provider: 'retell', Channel: 'phone' });
  }, 60_000);
});

describe('colloquy setup', () => {
  it('says what to do if Temporal forbids it, and fails', async () => {
    guarded = await guardTemporal(bare.address, { OperatorService: PERMISSION_DENIED });
    colloquy = await install({ temporal: { address: guarded.address, namespace: NAMESPACE } });
    const refused = startProgram('cli', colloquy.env, ['setup']);
    expect(await refused.ended).toBe(1);
    expect(refused.said()).toContain('add ClientId, Provider, Channel of type Keyword to namespace cloud');
  }, 60_000);

  it('gives up a Temporal that accepts connections but never answers', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    colloquy = await install();
    const refused = startProgram('cli', { ...colloquy.env, TEMPORAL_ADDRESS: address }, ['setup']);
    expect(await refused.ended).toBe(1);
    expect(refused.said()).toContain(`Temporal at ${address} does not answer`);
    silent.close();
  }, 60_000);

  it('registers what is missing, and says if nothing was', async () => {
    colloquy = await install({ temporal: { address: bare.address, namespace: NAMESPACE } });
    const { env } = colloquy;
    const setUp = async (): Promise<unknown[]> => {
      const program = startProgram('cli', env, ['setup']);
      return [await program.ended, program.said()];
    };
    expect(await setUp()).toEqual([0, 'search attributes: ClientId, Provider, Channel registered\n']);
    const connection = Connection.lazy({ address: bare.address });
    await eventually(async () => {
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: NAMESPACE });
      return ['ClientId', 'Provider', 'Channel'].every((name) => name in customAttributes);
    });
    await connection.close();
    expect(await setUp()).toEqual([0, 'search attributes: ClientId, Provider, Channel exist\n']);
  }, 60_000);
});
