// A plain HTTP server that stores the webhooks it receives.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { z } from 'zod';

const call = z.looseObject({ call_id: z.string(), call_status: z.string() });
const chat = z.looseObject({ chat_id: z.string(), chat_status: z.string() });
const data = z.looseObject({ conversation_id: z.string() });
const envelope = z.union([
  z.object({ event: z.string(), call }),
  z.object({ event: z.string(), chat }),
  z.object({ type: z.string(), event_timestamp: z.number(), data }),
]);

/** One received webhook: `document` is its subject, `event` what happened to it. */
export interface Received {
  event: string;
  id: string;
  document: Record<string, unknown>;
  raw: string;
  signature: string;
}

/** A receiver; it responds with `statuses` first, then with 200. */
export interface Receiver {
  url: string;
  received: Received[];
  statuses: number[];
  close: () => Promise<void>;
}

function reading(raw: string): Pick<Received, 'event' | 'id' | 'document'> {
  const parsed = envelope.parse(JSON.parse(raw));
  if ('call' in parsed) return { event: parsed.event, id: parsed.call.call_id, document: parsed.call };
  if ('chat' in parsed) return { event: parsed.event, id: parsed.chat.chat_id, document: parsed.chat };
  return { event: parsed.type, id: parsed.data.conversation_id, document: parsed.data };
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
      const header = request.headers['x-retell-signature'] ?? request.headers['elevenlabs-signature'];
      received.push({ ...reading(raw), raw, signature: String(header) });
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
