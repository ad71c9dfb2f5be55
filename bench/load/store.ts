// An object store that can be made to hang: the part of S3 that uploads need; it keeps only lengths.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HangingStore {
  /** Settings of our programs. */
  env: Record<string, string>;
  /** Stops answering uploads. */
  hang(): void;
  /** Answers uploads again, including those that wait. */
  heal(): void;
  close(): Promise<void>;
}

export async function startStore(): Promise<HangingStore> {
  const lengths = new Map<string, number>();
  const waiting: ServerResponse[] = [];
  let hangs = false;
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (request.method !== 'PUT') {
      const length = lengths.get(path);
      return void response.writeHead(length === undefined ? 404 : 200, { 'content-length': length ?? 0 }).end();
    }
    let length = 0;
    request.on('data', (chunk: Buffer) => (length += chunk.length));
    request.on('end', () => {
      lengths.set(path, length);
      response.setHeader('etag', '"0"');
      if (hangs) waiting.push(response);
      else response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      OBJECT_STORE_URL: `s3://recordings/?endpoint=http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
    },
    hang: () => void (hangs = true),
    heal: () => {
      hangs = false;
      for (const response of waiting.splice(0)) response.end();
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
