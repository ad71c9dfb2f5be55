// A host of recordings that sends the first half at once and the rest on demand, for tests in the middle of a download.
import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';

export interface SlowHost {
  url: string;
  /** Requests so far. */
  readonly requests: number;
  /** Sends the second half, to waiting and all later requests. */
  release(): void;
  close(): Promise<void>;
}

export async function startSlowHost(content: Buffer): Promise<SlowHost> {
  const half = Math.floor(content.length / 2);
  const waiting: ServerResponse[] = [];
  let [requests, isReleased] = [0, false];
  const server = createServer((_, response) => {
    requests += 1;
    response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': String(content.length) });
    response.write(content.subarray(0, half));
    if (isReleased) response.end(content.subarray(half));
    else waiting.push(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the host has no port');
  return {
    url: `http://127.0.0.1:${address.port}/recording.wav`,
    get requests() {
      return requests;
    },
    release: () => {
      isReleased = true;
      for (const response of waiting.splice(0)) response.end(content.subarray(half));
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
