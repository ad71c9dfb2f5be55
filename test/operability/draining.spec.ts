// A rolling restart behind a proxy that follows /readyz: while one of two API processes is told to stop, webhooks keep coming, and
// none of them is refused.
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { endPrograms, startApiProgram, type Program } from '../support/programs.js';

/** How often the proxy checks whether a process is ready: well within the time that they drain. */
const DRAIN_SECONDS = '3';
const ASK_EVERY_MS = 200;

type Api = Program & { url: string };

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install();
});
afterEach(() => endPrograms());
afterAll(() => colloquy.close());

/** Sends each request to one of the processes that were ready at the last check, in turn. */
class Proxy {
  private readonly server: Server = createServer((incoming, answer) => this.forward(incoming, answer));
  private ready: Api[] = [];
  private turn = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly apis: Api[]) {}

  async start(): Promise<string> {
    await this.ask();
    this.timer = setInterval(() => void this.ask(), ASK_EVERY_MS);
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  sendsTo(api: Api): boolean {
    return this.ready.includes(api);
  }

  stop(): void {
    clearInterval(this.timer);
    this.server.close();
    this.server.closeAllConnections();
  }

  private async ask(): Promise<void> {
    const answers = await Promise.all(
      this.apis.map(async ({ url }) => {
        const answer = await fetch(`${url}/readyz`).catch(() => null);
        // On a busy machine a probe may be late: only a process that stops is left out.
        return answer !== null && !(await answer.text()).includes('"shutting_down"');
      }),
    );
    this.ready = this.apis.filter((_, index) => answers[index]);
  }

  private forward(incoming: IncomingMessage, answer: ServerResponse): void {
    const api = this.ready[(this.turn += 1) % this.ready.length];
    const { method, headers } = incoming;
    const onward = request(`${api?.url}${incoming.url}`, { method, headers, agent: false });
    onward.once('response', (response) => {
      answer.writeHead(response.statusCode ?? 502);
      response.pipe(answer);
    });
    onward.once('error', () => answer.writeHead(502).end());
    incoming.pipe(onward);
  }
}

/** Sends webhooks one after the other until stopped; returns the statuses that they got. */
function sendWebhooks(url: string): { sent(): number; stop(): Promise<Map<number, number>> } {
  const statuses = new Map<number, number>();
  let [going, sent] = [true, 0];
  const path = `/v1/webhooks/${publicId('providerAccount', colloquy.accountId)}`;
  const send = async (): Promise<void> => {
    while (going) {
      const { call_id: callId } = colloquy.retell.addCall({});
      const body = colloquy.retell.webhookBody('call_started', callId);
      const headers = { 'x-retell-signature': colloquy.retell.sign(body) };
      const { status } = await fetch(`${url}${path}`, { method: 'POST', headers, body });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      sent += 1;
    }
  };
  const all = Promise.all(Array.from({ length: 4 }, send));
  return {
    sent: () => sent,
    stop: async () => {
      going = false;
      await all;
      return statuses;
    },
  };
}

describe('an API that is told to stop', () => {
  it('says so at /readyz and keeps working until nobody sends to it: no webhook is refused', async () => {
    const env = { ...colloquy.env, COLLOQUY_DRAIN_SECONDS: DRAIN_SECONDS };
    const apis = await Promise.all([startApiProgram(env), startApiProgram(env)]);
    const [leaving] = apis;
    const proxy = new Proxy(apis);
    const traffic = sendWebhooks(await proxy.start());
    await eventually(async () => traffic.sent() > 20);
    expect(apis.every((api) => proxy.sendsTo(api))).toBe(true);
    const ended = leaving.end('SIGTERM');
    await leaving.says('"api stopping"');
    const ready = await fetch(`${leaving.url}/readyz`);
    expect([ready.status, ((await ready.json()) as { code: string }).code]).toEqual([503, 'shutting_down']);
    expect((await fetch(`${leaving.url}/healthz`)).status).toBe(200);
    expect((await ended).code).toBe(0);
    const after = traffic.sent();
    await eventually(async () => traffic.sent() > after + 20);
    const statuses = await traffic.stop();
    proxy.stop();
    expect([...statuses.keys()]).toEqual([200]);
    const { rows } = await colloquy.sql.query<{ count: number }>('select count(*)::int as count from inbox');
    expect(rows[0]?.count).toBe(statuses.get(200));
  }, 90_000);
});
