// A plain HTTP server that keeps the webhooks it gets.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { z } from 'zod';

const envelope = z.object({ event: z.string(), call: z.looseObject({ call_id: z.string(), call_status: z.string() }) });

/** One received webhook. */
export interface Received extends z.infer<typeof envelope> {
  raw: string;
  signature: string;
}

/** A receiver; `statuses` are its next answers, afterwards 200. */
export interface Receiver {
  url: string;
  received: Received[];
  statuses: number[];
  close: () => Promise<void>;
}

/** Starts a receiver on a free port. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const statuses: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString();
      received.push({
        ...envelope.parse(JSON.parse(raw)),
        raw,
        signature: String(request.headers['x-retell-signature']),
      });
      response.writeHead(statuses.shift() ?? 200).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${address.port}/hook`, received, statuses, close };
}
