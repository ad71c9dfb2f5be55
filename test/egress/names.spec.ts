// Names from a real nameserver on loopback that changes its answers or does not answer.
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { parseEgressAllow } from '../../src/config/egress-allow.js';
import { Egress } from '../../src/egress/egress.js';
import { refusalIn } from '../../src/egress/refusal.js';
import { nameserverResolve } from '../../src/egress/resolve.js';
import { startCanary } from './hosts.js';

const A = 1;
const sockets: Socket[] = [];
afterEach(() => sockets.splice(0).forEach((socket) => socket.close()));

/** Answers IPv4 queries with what `addressOf` returns and other queries with nothing; null: no answer at all. */
async function startNameserver(addressOf: () => string | null): Promise<{ address: string; questions: () => number }> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  let questions = 0;
  socket.on('message', (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const isV4 = query.readUInt16BE(end - 4) === A;
    if (isV4) questions += 1;
    const address = isV4 ? addressOf() : '';
    if (address === null) return;
    const header = Buffer.from([0x81, 0x80, 0, 1, 0, address === '' ? 0 : 1, 0, 0, 0, 0]);
    const record = [0xc0, 12, 0, A, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)];
    const answer = address === '' ? [] : record;
    socket.send(Buffer.concat([query.subarray(0, 2), header, query.subarray(12, end), Buffer.from(answer)]), from.port);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { address: `127.0.0.1:${socket.address().port}`, questions: () => questions };
}

const codeOf = (asking: Promise<unknown>): Promise<string | undefined> =>
  asking.then(
    () => 'answered',
    (error: unknown) => refusalIn(error)?.code,
  );

describe('a host name', () => {
  it('that changes between check and request is checked again, and resolved once per connection', async () => {
    const canary = await startCanary();
    // 127.0.0.2 represents a public address: it is allowed.
    const answers = ['127.0.0.2', '127.0.0.1', '127.0.0.2', '127.0.0.1'];
    const { address, questions } = await startNameserver(() => answers.shift() ?? null);
    const egress = new Egress({ allow: parseEgressAllow('127.0.0.2'), resolve: nameserverResolve([address]) });
    const url = `https://rebinding.example:${canary.port}/`;
    expect(await egress.isRefused(url)).toBe(false);
    expect(await codeOf(egress.recordings(url))).toBe('address_not_allowed');
    expect([questions(), canary.connections()]).toEqual([2, 0]);
    // Resolved once for the check and once for the connection, which uses the checked address.
    expect(await codeOf(egress.recordings(url))).toBeUndefined();
    expect([questions(), canary.connections()]).toEqual([3, 1]);
    await canary.close();
  });

  it('whose server is silent is given up, and delays nobody', async () => {
    const { address } = await startNameserver(() => null);
    const egress = new Egress({
      allow: parseEgressAllow(''),
      limits: { connectMs: 700 },
      resolve: nameserverResolve([address]),
    });
    const from = performance.now();
    const asked = Array.from({ length: 32 }, (_, index) => codeOf(egress.documents(`https://dark${index}.example/`)));
    await lookup('localhost');
    expect(performance.now() - from).toBeLessThan(500);
    expect(new Set(await Promise.all(asked))).toEqual(new Set([undefined]));
    expect(performance.now() - from).toBeLessThan(5_000);
  });
});
