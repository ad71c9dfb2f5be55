// A load generator process that sends webhooks in a closed loop. They are signed in advance, so that signing is not measured.
import { signBody } from '../../simulators/retell/index.js';
import { endedCall, webhookOf } from '../documents.js';
import { servePart } from '../part.js';
import { closedLoop } from './closed-loop.js';
import { postRequest } from './http-connection.js';

export interface WebhooksPlan {
  port: number;
  connections: number;
  /** Path of the account's webhook. */
  path: string;
  /** The key with which Retell signs. */
  apiKey: string;
  event: 'call_ended' | 'call_analyzed';
  /** Ids of the calls; one webhook for each. */
  callIds: string[];
  /** Share of webhooks that are sent twice, with identical bytes. */
  duplicates: number;
  /** Turns per call; 40 turns are about 12 KB. */
  turns: number;
  recordingUrl?: string;
}

servePart(async ({ callIds, duplicates, ...plan }: WebhooksPlan) => {
  const every = duplicates === 0 ? Infinity : Math.round(1 / duplicates);
  const messages = callIds.flatMap((callId, index) => {
    const call = endedCall({ callId, turns: plan.turns, recordingUrl: plan.recordingUrl });
    const body = webhookOf(plan.event, call);
    const headers = { 'x-retell-signature': signBody(body, plan.apiKey, Date.now()) };
    const message = postRequest(plan.path, headers, Buffer.from(body));
    return index % every === every - 1 ? [message, message] : [message];
  });
  const meanBytes = messages.reduce((sum, { length }) => sum + length, 0) / messages.length;
  return { ready: { meanBytes }, go: () => closedLoop({ ...plan, status: 200 }, messages) };
});
