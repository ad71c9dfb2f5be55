// A TCP proxy that can slow down, or swallow everything without closing the connection.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpProxy {
  /** host:port to connect to. */
  address: string;
  /** From now on, delays what is sent to the server. */
  slow(delayMs: number): void;
  /** From now on, nothing arrives at either end. */
  hang(): void;
  close(): Promise<void>;
}

/** Opens a proxy to `target`, as host:port. */
export async function openTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname: host, port } = new URL(`tcp://${target}`);
  const sockets = new Set<Socket>();
  let [delayMs, hangs] = [0, false];
  const pipe = (from: Socket, to: Socket, delay: () => number): void => {
    const pass = (act: () => void): void => void setTimeout(() => hangs || to.destroyed || act(), delay());
    from.on('data', (bytes: Buffer) => pass(() => to.write(bytes)));
    from.on('end', () => pass(() => to.end()));
    sockets.add(from.on('error', () => undefined));
  };
  // Half-open, because a hanging server does not acknowledge the end of a connection either.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host, port: Number(port), allowHalfOpen: true });
    pipe(near, far, () => delayMs);
    pipe(far, near, () => 0);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    slow: (ms) => void (delayMs = ms),
    hang: () => void (hangs = true),
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
