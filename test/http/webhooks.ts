// Webhooks over HTTP, signed as the providers sign them.
import { createHmac } from 'node:crypto';
import type { Called, HttpApp } from './http-app.js';

interface Account {
  /** Public id. */
  id: string;
  /** What the provider signs with: Retell's API key, ElevenLabs' webhook secret. */
  secret: string;
}

/** An event of Retell about a call. */
export function sendRetell(http: HttpApp, { id, secret }: Account, event: string, call: object): Promise<Called> {
  const body = JSON.stringify({ event, call });
  const at = String(Date.now());
  const digest = createHmac('sha256', secret).update(body).update(at).digest('hex');
  return send(http, id, body, { 'x-retell-signature': `v=${at},d=${digest}` });
}

/** A conversation that ended at ElevenLabs. */
export function sendElevenLabs(http: HttpApp, { id, secret }: Account, data: object): Promise<Called> {
  const at = Math.floor(Date.now() / 1000);
  const body = JSON.stringify({ type: 'post_call_transcription', event_timestamp: at, data });
  const digest = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return send(http, id, body, { 'elevenlabs-signature': `t=${at},v0=${digest}` });
}

const send = (http: HttpApp, id: string, body: string, headers: Record<string, string>): Promise<Called> =>
  http.call('POST', `/v1/webhooks/${id}`, {
    key: null,
    body,
    headers: { ...headers, 'content-type': 'application/json' },
  });
