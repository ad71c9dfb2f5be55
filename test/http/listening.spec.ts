// Where the processes listen, for requests and metrics: on this machine only, unless HOST says otherwise. Runs the built programs
// (npm's pretest).
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { install, type Installation } from '../support/installation.js';
import { endPrograms, startApiProgram, startWorkerProgram, type Program } from '../support/programs.js';

/** Loopback addresses of this machine: a process that listens on all addresses is reachable at both. */
const ADDRESSES = ['127.0.0.1', '127.0.0.2'];

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install();
});
afterEach(() => endPrograms());
afterAll(() => colloquy.close());

async function isReached(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    return false;
  } finally {
    socket.destroy();
  }
}

const portIn = (program: Program, name: string): number =>
  Number(new RegExp(`"${name}":(\\d+)`).exec(program.said())?.[1]);

/** Addresses at which each port can be reached. */
async function reachedAt(settings: Record<string, string>): Promise<Record<string, string[]>> {
  const metrics = { COLLOQUY_METRICS_PORT: '0', COLLOQUY_WORKER_METRICS_PORT: '0' };
  const env = { ...colloquy.env, ...metrics, ...settings };
  const [api, worker] = await Promise.all([startApiProgram(env), startWorkerProgram(env)]);
  const ports = {
    api: portIn(api, 'port'),
    apiMetrics: portIn(api, 'metrics_port'),
    workerMetrics: portIn(worker, 'metrics_port'),
  };
  const found = Object.entries(ports).map(async ([name, port]) => {
    const reached = await Promise.all(ADDRESSES.map((address) => isReached(address, port)));
    return [name, ADDRESSES.filter((_, index) => reached[index])] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

describe('HOST', () => {
  it.each([
    [{}, ['127.0.0.1']],
    [{ HOST: '127.0.0.2' }, ['127.0.0.2']],
    [{ HOST: '0.0.0.0' }, ADDRESSES],
  ])(
    '%o: API and metrics are reachable at %j',
    async (settings, addresses) => {
      expect(await reachedAt(settings)).toEqual({ api: addresses, apiMetrics: addresses, workerMetrics: addresses });
    },
    90_000,
  );

  it('that is no address of this machine ends the start with one line', async () => {
    // An address reserved for documentation, which nobody has.
    const start = startApiProgram({ ...colloquy.env, HOST: '192.0.2.1' });
    await expect(start).rejects.toThrow(/HOST is not an address of this machine\n/);
  });
});
