// A proxy for a simulated provider that makes single records fail.
import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';

export interface PartlyBroken {
  baseUrl: string;
  /** Response status by the provider's id, with an immediate retry; 0 cuts the connection. */
  readonly broken: Map<string, number>;
  close(): Promise<void>;
}

export async function startPartlyBroken(providerUrl: string): Promise<PartlyBroken> {
  const broken = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const status = broken.get(path.split('/').at(-1) ?? '');
    if (status === 0) return void request.socket.destroy();
    const headers = { 'content-type': 'application/json', 'retry-after': '0' };
    if (status !== undefined) return void response.writeHead(status, headers).end('{}');
    const onward = ask(new URL(path, providerUrl), { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    baseUrl: `http://127.0.0.1:${address.port}`,
    broken,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
