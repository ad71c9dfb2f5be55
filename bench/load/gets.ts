// A load generator process that sends prepared GETs in a closed loop.
import { servePart } from '../part.js';
import { closedLoop } from './closed-loop.js';
import { getRequest } from './http-connection.js';

export interface GetsPlan {
  port: number;
  connections: number;
  /** 200, or 206 for ranges. */
  status: number;
  requests: { path: string; headers?: Record<string, string> }[];
}

servePart(async ({ requests, ...target }: GetsPlan) => {
  const messages = requests.map(({ path, headers }) => getRequest(path, headers));
  return { ready: null, go: () => closedLoop(target, messages) };
});
