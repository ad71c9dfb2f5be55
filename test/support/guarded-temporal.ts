// A proxy for a real Temporal that refuses some services: the test server cannot produce the responses of an authorizer or
// of Temporal Cloud.
import { once } from 'node:events';
import { connect, constants, createServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

export interface GuardedTemporal {
  /** host:port */
  address: string;
  /** Paths that were refused, such as `/temporal.api.operatorservice.v1.OperatorService/ListSearchAttributes`. */
  readonly refused: string[];
  /** Connections that are open. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Refuses calls whose path contains a key of `forbidden`, with its gRPC status. `target`: host:port of the real server. */
export async function guardTemporal(target: string, forbidden: Record<string, number>): Promise<GuardedTemporal> {
  const real = connect(`http://${target}`);
  const sessions = new Set<Http2Session>();
  const refused: string[] = [];
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  });
  server.on('stream', (near: ServerHttp2Stream, headers) => {
    near.on('error', () => undefined);
    const path = String(headers[constants.HTTP2_HEADER_PATH] ?? '');
    const status = Object.entries(forbidden).find(([part]) => path.includes(part))?.[1];
    if (status !== undefined) {
      refused.push(path);
      const answer = {
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-status': status,
        'grpc-message': 'no',
      };
      near.respond(answer, { endStream: true });
      return;
    }
    const far = real.request(headers);
    let trailers = {};
    far.on('error', () => near.close());
    far.on('trailers', (sent) => (trailers = sent));
    far.on('response', (answer, flags) => {
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      near.respond(answer, endStream ? { endStream } : { waitForTrailers: true });
    });
    near.on('wantTrailers', () => near.sendTrailers(trailers));
    near.on('aborted', () => far.close(constants.NGHTTP2_CANCEL));
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused,
    get connections() {
      return sessions.size;
    },
    close: async () => {
      for (const session of sessions) session.destroy();
      server.close();
      real.close();
    },
  };
}
