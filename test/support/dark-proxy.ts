// A TCP proxy whose connections can fall silent without being closed, as in a failover without a reset. New connections work.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** In which direction bytes are dropped. */
export type Dark = 'both ways' | 'to the server' | 'to the client';

export interface DarkProxy {
  port: number;
  /** Connections that are open now pass on nothing any more, in one or both directions. */
  goDark(dark: Dark): void;
  /** Connections so far. */
  readonly opened: number;
  close(): Promise<void>;
}

interface Line {
  client: Socket;
  server: Socket;
  dark: Dark | null;
}

export async function startDarkProxy(target: { host: string; port: number }): Promise<DarkProxy> {
  const lines = new Set<Line>();
  let opened = 0;
  const proxy = createServer((client) => {
    opened += 1;
    const line: Line = { client, server: connect(target.port, target.host), dark: null };
    lines.add(line);
    join(line);
    client.on('close', () => lines.delete(line));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    goDark: (dark) => {
      for (const line of lines) line.dark = dark;
    },
    get opened() {
      return opened;
    },
    close: async () => {
      for (const { client, server } of lines) for (const socket of [client, server]) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}

function join(line: Line): void {
  const { client, server } = line;
  client.on('data', (bytes) => {
    if (line.dark === null || line.dark === 'to the client') server.write(bytes);
  });
  server.on('data', (bytes) => {
    if (line.dark === null || line.dark === 'to the server') client.write(bytes);
  });
  // A connection's end is passed on only while it passes on bytes.
  client.on('close', () => line.dark === null && server.destroy());
  server.on('close', () => line.dark === null && client.destroy());
  for (const socket of [client, server]) socket.on('error', () => undefined);
}

/** The URL of the same database through the proxy. */
export function through(proxy: DarkProxy, databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${proxy.port}`;
  return url.toString();
}

export const placeOf = (databaseUrl: string): { host: string; port: number } => {
  const { hostname, port } = new URL(databaseUrl);
  return { host: hostname, port: Number(port) };
};
