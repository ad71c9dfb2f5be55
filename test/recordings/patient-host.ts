import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface PatientHost {
  url: string;
  /** Resolves when this many requests have arrived. */
  asked(count: number): boolean;
  /** Answers the nth request. */
  answer(nth: number, content: Buffer): void;
  close(): Promise<void>;
}

/** A host of recordings that answers each request with what, and when, the test says. */
export async function startPatientHost(): Promise<PatientHost> {
  const waiting: ServerResponse[] = [];
  const server = createServer((_, response) => void waiting.push(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/recording.wav`,
    asked: (count) => waiting.length >= count,
    answer: (nth, content) =>
      void waiting[nth]?.writeHead(200, { 'content-type': 'audio/wav', 'content-length': content.length }).end(content),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
