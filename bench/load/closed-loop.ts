// A closed-loop load generator: each connection sends its next request when the previous one is answered.
import { HttpConnection } from './http-connection.js';

export interface LoadResult {
  count: number;
  ms: number;
  /** Total bytes of all bodies. */
  bytes: number;
  perSecond: number;
}

/** Sends every request once over `connections` connections. Throws if a response has another status than `status`. */
export async function closedLoop(
  { port, connections, status }: { port: number; connections: number; status: number },
  requests: readonly Uint8Array[],
): Promise<LoadResult> {
  const open = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(port)));
  let [next, bytes] = [0, 0];
  const sendAll = async (connection: HttpConnection): Promise<void> => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
      const answer = await connection.request(request);
      if (answer.status !== status) throw new Error(`status ${answer.status} instead of ${status}`);
      bytes += answer.bytes;
    }
  };
  const from = performance.now();
  try {
    await Promise.all(open.map(sendAll));
  } finally {
    for (const connection of open) connection.close();
  }
  const ms = performance.now() - from;
  return { count: requests.length, ms, bytes, perSecond: (requests.length * 1000) / ms };
}
