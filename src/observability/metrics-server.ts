// Serves `/metrics`, and nothing else, on a port of its own. It needs no API key: keep the port internal.
import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { METRICS_CONTENT_TYPE } from './exposition.js';

export interface MetricsServer {
  port: number;
  close(): Promise<void>;
}

/** Serves `text` on `host` and `port` (0: any free port). Throws what `listen` throws, such as a port in use. */
export async function serveMetrics(
  { host, port }: { host: string; port: number },
  text: () => Promise<string>,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD'))
      return answer(response, 404, '');
    text().then(
      (metrics) => answer(response, 200, metrics),
      () => answer(response, 500, ''),
    );
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': METRICS_CONTENT_TYPE }).end(body);
}
