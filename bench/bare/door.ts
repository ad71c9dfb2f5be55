// The limit of a webhook door in Node: `node:http` that reads a body, verifies its signature, parses it, and inserts the bytes in
// a group commit, as ours does. Without receipts, identity rows, sealing and framework.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'pg';
import { Batcher } from '../../src/common/batcher.js';
import { servePart } from '../part.js';

export interface BareDoorPlan {
  url: string;
  apiKey: string;
}

const LIMITS = { maxItems: 64, concurrency: 2 };
const SIGNATURE = /^v=(\d+),d=([0-9a-f]{64})$/;

function isSigned(header: unknown, body: Buffer, apiKey: string): boolean {
  const [, time, digest] = SIGNATURE.exec(String(header)) ?? [];
  if (time === undefined || digest === undefined) return false;
  const expected = createHmac('sha256', apiKey).update(body).update(time).digest();
  return timingSafeEqual(expected, Buffer.from(digest, 'hex'));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

servePart(async ({ url, apiKey }: BareDoorPlan) => {
  const pool = new Pool({ connectionString: url, max: LIMITS.concurrency });
  const text = 'insert into bare (body) select * from unnest($1::text[])';
  const batcher = new Batcher<string, void>(async (bodies) => {
    await pool.query({ name: 'insert', text, values: [bodies] });
    return bodies.map(() => undefined);
  }, LIMITS);
  const server = createServer((request, response) => {
    void bodyOf(request).then(async (body) => {
      const isGood = isSigned(request.headers['x-retell-signature'], body, apiKey);
      const content = body.toString('utf8');
      if (isGood && JSON.parse(content) !== null) await batcher.add(content);
      response.writeHead(isGood ? 200 : 401, { 'content-length': 2 }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { ready: { port: (server.address() as AddressInfo).port }, go: () => Promise.resolve(null) };
});
