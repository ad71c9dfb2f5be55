// Hosts on loopback for requests, and one that no request may ever reach.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';

const MIB = 1_048_576;

export interface Host {
  url: string;
  port: number;
  close(): Promise<void>;
}

async function listening(server: Server): Promise<Host> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}`, port, close };
}

export const startHost = (answer: RequestListener): Promise<Host> => listening(createServer(answer));

/** Counts connections on every loopback address of the machine. */
export async function startCanary(): Promise<{ port: number; connections: () => number; close(): Promise<void> }> {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  server.listen(0, '::');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** By how much the peak memory grows, bytes. */
export async function growth(work: () => Promise<unknown>): Promise<number> {
  const before = process.resourceUsage().maxRSS;
  await work();
  return (process.resourceUsage().maxRSS - before) * 1024;
}

/** Many values, compressed without ever being held in memory as a whole. */
export async function bomb(piece: string, bytes: number): Promise<Buffer> {
  const block = Buffer.from(piece.repeat(Math.floor(MIB / piece.length)));
  const blocks = Array.from({ length: Math.ceil(bytes / block.length) }, () => block);
  return Buffer.concat(await Readable.from(blocks).pipe(createGzip()).toArray());
}

/** Sends piece by piece, as fast as the other side reads, until there are none left. */
export function send(response: ServerResponse, next: () => Buffer | null): void {
  const pieces = new Readable({
    read() {
      this.push(next());
    },
  });
  pipeline(pieces, response, () => undefined);
}
