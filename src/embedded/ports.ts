import { createServer } from 'node:net';

/** `free`, or a system error code such as `EADDRINUSE` or `EACCES`. */
export type PortState = 'free' | (string & {});

/**
 * Whether a server could listen on this port. Tries IPv4 and IPv6, loopback and all addresses, because a listener on
 * one of them lets the others bind on some systems.
 */
export async function portState(port: number): Promise<PortState> {
  for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
    const state = await tryListen(port, host);
    if (state.code === 'EAFNOSUPPORT' || state.code === 'EADDRNOTAVAIL') continue;
    if (state.code !== undefined) return state.code;
  }
  return 'free';
}

/** A free port on 127.0.0.1: `preferred` if it is free, otherwise one that the system chooses. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await portState(preferred)) === 'free') return preferred;
  const { port, code } = await tryListen(0, '127.0.0.1');
  if (port === undefined) throw new Error(`no free port is available (${code ?? 'unknown'})`);
  return port;
}

function tryListen(port: number, host: string): Promise<{ port?: number; code?: string }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? error.message }));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? { port: address.port } : {}));
    });
  });
}
