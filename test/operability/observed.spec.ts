// What operators see of calls that are full of canaries: metrics, log lines and traces, from separate processes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { speechOf, transcriptFields } from '../../simulators/retell/index.js';
import { newSecret } from '../../src/access/api-key-secret.js';
import { publicId } from '../../src/common/ids.js';
import { scanText } from '../residue/scan.js';
import { eventTypes, eventually, install, type Installation } from '../support/installation.js';
import { valueOf } from '../support/metrics.js';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import { endPrograms, startApiProgram, startWorkerProgram, type Program } from '../support/programs.js';

const WORDS = {
  phrase: 'a heron in the samovar',
  name: 'Philomena Drakenstein',
  number: '+12025550141',
  'agent number': '+12025550142',
  email: 'philomena.drakenstein@example.test',
  'provider id': 'call_samovar_0001',
  'unknown reason': 'heron_landed_on_the_line',
};
const canaries = Object.fromEntries(Object.entries(WORDS).map(([name, word]) => [name, Buffer.from(word)]));
const reader = newSecret();
/** Traces that requests claim to belong to. */
const TRACE = { ofCaller: '0af7651916cd43dd8448eb211c80319c', ofStranger: '1af7651916cd43dd8448eb211c80319c' };
const traceparentOf = (traceId: string): string => `00-${traceId}-b7ad6b7169203331-01`;

let colloquy: Installation;
let collector: OtlpReceiver;
let api: Program & { url: string };
let worker: Program;
let conversation: string;
let [apiMetrics, workerMetrics] = ['', ''];

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${reader}`, ...headers } });

async function deliver(
  body: string,
  signature = colloquy.retell.sign(body),
  more: Record<string, string> = {},
): Promise<number> {
  const url = `${api.url}/v1/webhooks/${publicId('providerAccount', colloquy.accountId)}?from=${encodeURIComponent(WORDS.number)}`;
  const headers = { 'content-type': 'application/json', 'x-retell-signature': signature, ...more };
  return (await fetch(url, { method: 'POST', headers, body })).status;
}

/** One call from its start to its settled record, with everything that a caller may do wrong. */
async function liveThrough(): Promise<void> {
  const { retell } = colloquy;
  const { call_id: callId } = retell.addCall({
    call_id: WORDS['provider id'],
    direction: 'inbound',
    call_type: 'phone_call',
    from_number: WORDS.number,
    to_number: WORDS['agent number'],
    metadata: { email: WORDS.email, name: WORDS.name },
  });
  expect(await deliver(retell.webhookBody('call_started', callId))).toBe(200);
  expect(await deliver(retell.webhookBody('call_started', callId))).toBe(200);
  expect(await deliver(JSON.stringify({ event: WORDS.phrase, call: { call_id: callId } }))).toBe(200);
  expect(await deliver(`not json ${WORDS.phrase}`)).toBe(400);
  expect(await deliver(retell.webhookBody('call_started', callId), 'v=1,d=wrong')).toBe(401);
  // The workflow waits: what follows signals it.
  const handle = await colloquy.workflow(callId);
  await eventually(async () => (await eventTypes(handle)).includes('TIMER_STARTED'));
  retell.endCall(callId, {
    disconnection_reason: WORDS['unknown reason'],
    ...transcriptFields(speechOf('heron', [`A: Hello ${WORDS.name}`, `U: ${WORDS.phrase}`]).items),
  });
  retell.analyze(callId, { call_summary: WORDS.phrase });
  expect(await deliver(retell.webhookBody('call_analyzed', callId))).toBe(200);
  conversation = publicId('conversation', (await colloquy.settled(callId, 40)).id);
  await get(`/v1/conversations/${conversation}`, { traceparent: traceparentOf(TRACE.ofCaller) });
  const ofStranger = { traceparent: traceparentOf(TRACE.ofStranger) };
  await get(`/v1/conversations/${conversation}`, { ...ofStranger, authorization: `Bearer ${newSecret()}` });
  for (const path of ['/healthz', '/%zz']) await get(path, ofStranger);
  await deliver(retell.webhookBody('call_analyzed', callId), 'v=1,d=wrong', ofStranger);
  await get(`/v1/conversations/${encodeURIComponent(WORDS.phrase)}`);
  await get(`/v1/conversations?customer_number=${encodeURIComponent(WORDS.number)}`);
  await get(`/${encodeURIComponent(WORDS.phrase)}?q=${encodeURIComponent(WORDS.name)}`);
  await get('/%zz', { 'user-agent': WORDS.phrase });
}

beforeAll(async () => {
  [colloquy, collector] = await Promise.all([install(), startOtlpReceiver()]);
  const env = {
    ...colloquy.env,
    LOG_LEVEL: 'debug',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '200',
    COLLOQUY_BOOTSTRAP_KEY: newSecret(),
    COLLOQUY_BOOTSTRAP_READ_KEY: reader,
    COLLOQUY_WORKER_METRICS_PORT: '0',
    COLLOQUY_METRICS_PORT: '0',
  };
  [api, worker] = await Promise.all([startApiProgram(env), startWorkerProgram(env)]);
  await liveThrough();
  const [apiPort, port] = [api, worker].map((program) => /"metrics_port":(\d+)/.exec(program.said())?.[1]);
  [apiMetrics = '', workerMetrics = ''] = await Promise.all(
    [`http://127.0.0.1:${apiPort}/metrics`, `http://127.0.0.1:${port}/metrics`].map(async (url) =>
      (await fetch(url)).text(),
    ),
  );
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
  const codes = await Promise.all([api.end('SIGTERM'), worker.end('SIGTERM')]);
  expect(codes.map(({ code }) => code)).toEqual([0, 0]);
}, 90_000);
afterAll(async () => {
  endPrograms();
  await collector.close();
  await colloquy.close();
});

type Line = Record<string, unknown>;
const linesOf = (program: Program): Line[] =>
  program
    .said()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
const webhookRoute = '/v1/webhooks/:provider_account_id';

describe('metrics', () => {
  it('count webhooks and requests in the API, by template and enumerations', () => {
    const fact = (event: string, result: string): string =>
      `colloquy_facts_received_total{provider="retell",source="webhook",event="${event}",result="${result}"}`;
    expect(valueOf(apiMetrics, fact('call_started', 'stored'))).toBe(1);
    expect(valueOf(apiMetrics, fact('call_started', 'duplicate'))).toBe(1);
    expect(valueOf(apiMetrics, fact('unknown', 'unknown'))).toBe(1);
    const requests = (method: string, route: string, status: number): number =>
      valueOf(
        apiMetrics,
        `colloquy_http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`,
      );
    expect(requests('POST', webhookRoute, 200)).toBe(4);
    expect(requests('POST', webhookRoute, 401)).toBe(2);
    expect(requests('GET', '/v1/conversations/:id', 400)).toBe(1);
    expect(requests('GET', 'none', 404)).toBe(1);
    expect(apiMetrics).toMatch(/colloquy_db_pool_connections\{pool="ingest",state="idle"\} \d/);
    expect(apiMetrics).toContain('process_resident_memory_bytes');
  });

  it('show in the worker what waits, how long facts took, when recordings were stored and what was not mapped', () => {
    expect(valueOf(workerMetrics, 'colloquy_backlog_readable')).toBe(1);
    expect(valueOf(workerMetrics, 'colloquy_ingest_lag_seconds')).toBe(0);
    expect(valueOf(workerMetrics, 'colloquy_inbox_facts{state="pending"}')).toBe(0);
    expect(valueOf(workerMetrics, 'colloquy_inbox_facts{state="unknown"}')).toBe(1);
    expect(valueOf(workerMetrics, 'colloquy_conversations_unsettled{record_state="settling",age="15m"}')).toBe(0);
    expect(valueOf(workerMetrics, 'colloquy_workflow_commands_waiting')).toBe(0);
    expect(valueOf(workerMetrics, 'colloquy_ingest_seconds_count{provider="retell"}')).toBeGreaterThanOrEqual(4);
    expect(valueOf(workerMetrics, 'colloquy_recording_custody_seconds_count{provider="retell"}')).toBe(1);
    expect(valueOf(workerMetrics, 'colloquy_unmapped_end_reasons_total{provider="retell"}')).toBe(1);
    const commands = (kind: string, result: string): string =>
      `colloquy_workflow_commands_total{workflow="conversation",kind="${kind}",result="${result}"}`;
    expect(valueOf(workerMetrics, commands('started', 'started'))).toBe(1);
    expect(valueOf(workerMetrics, commands('ended', 'signalled'))).toBe(1);
  });

  it('contain no id and no canary', () => {
    for (const text of [apiMetrics, workerMetrics]) {
      expect(scanText('metrics', text, canaries)).toEqual([]);
      expect(text).not.toMatch(/(conv|pa|cl|key)_[0-9a-z]{26}|[0-9a-f]{8}-[0-9a-f]{4}-/);
    }
  });
});

describe('logs', () => {
  it('have one line per request: template, status, time, ids, and the result of a webhook', () => {
    const requests = linesOf(api).filter(({ msg }) => msg === 'request');
    expect(requests.find(({ event, result }) => event === 'call_analyzed' && result === 'stored')).toMatchObject({
      level: 30,
      method: 'POST',
      route: webhookRoute,
      status: 200,
      provider: 'retell',
      provider_account_id: publicId('providerAccount', colloquy.accountId),
      request_id: expect.any(String),
      duration_ms: expect.any(Number),
      trace_id: expect.any(String),
    });
    expect(requests.filter(({ code }) => code === 'invalid_signature')).toHaveLength(2);
    const [read] = requests.filter(({ conversation_id }) => conversation_id === conversation);
    expect(read).toMatchObject({ route: '/v1/conversations/:id', key_id: expect.stringMatching(/^key_/) });
    expect(requests.filter(({ route }) => route === null)).toHaveLength(3);
  });

  it("contain the conversation's id in the worker, where facts are applied and activities run", () => {
    const lines = linesOf(worker);
    expect(lines.find(({ msg }) => msg === 'facts applied')).toMatchObject({ conversation_id: conversation });
    expect(lines.find(({ msg }) => msg === 'activity')).toMatchObject({ workflow_id: `conversation/${conversation}` });
    expect(lines.find(({ msg }) => msg === 'the end reason of a conversation is not in the mapping')).toMatchObject({
      conversation_id: conversation,
      provider: 'retell',
    });
  });

  it('contain no canary, even at level debug', () => {
    for (const program of [api, worker]) expect(scanText('log', program.said(), canaries)).toEqual([]);
  });
});

describe('traces', () => {
  const named = (name: string): ReceivedSpan[] => collector.spans.filter((span) => span.name === name);
  const statementOf = ({ attributes }: ReceivedSpan): string =>
    String(attributes['db.query.text'] ?? attributes['db.statement']);

  it('continue from the webhook through inbox, intake and workflow command to the start of the workflow and its activities', () => {
    const webhooks = named(`POST ${webhookRoute}`);
    const first = webhooks.find(({ attributes }) => attributes['colloquy.result'] === 'stored');
    const trace = collector.spans.filter(({ traceId }) => traceId === first?.traceId);
    const parentOf = ({ parentSpanId }: ReceivedSpan): ReceivedSpan | undefined =>
      trace.find(({ spanId }) => spanId === parentSpanId);
    const activity = trace.find(({ name }) => name === 'activity look');
    const way: string[] = [];
    for (let span = activity; span !== undefined; span = parentOf(span)) way.unshift(`${span.service}: ${span.name}`);
    expect(way).toEqual([
      `colloquy-api: POST ${webhookRoute}`,
      'colloquy-api: inbox append',
      'colloquy-worker: intake apply',
      'colloquy-worker: send workflow command',
      'colloquy-worker: activity look',
    ]);
    expect(trace.some((span) => statementOf(span).includes('insert into inbox'))).toBe(true);
  });

  it('continue from the webhook that ended the conversation to the activities that settle it', () => {
    const webhooks = named(`POST ${webhookRoute}`);
    const end = webhooks.find(({ attributes }) => attributes['colloquy.event'] === 'call_analyzed');
    const names = collector.spans.filter(({ traceId }) => traceId === end?.traceId).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['activity fetchRecord', 'activity fetchRecording']));
  });

  it('continue those of a caller with a key, and no others', () => {
    const spansOf = (traceId: string): ReceivedSpan[] =>
      collector.spans.filter((span) => span.traceId === Buffer.from(traceId, 'hex').toString('base64'));
    expect(spansOf(TRACE.ofCaller).map(({ name }) => name)).toContain('GET /v1/conversations/:id');
    expect(spansOf(TRACE.ofStranger)).toEqual([]);
    const refused = named('GET /v1/conversations/:id').filter(
      ({ attributes }) => attributes['http.response.status_code'] === 401,
    );
    expect(refused).toHaveLength(1);
  });

  it('contain the statements of a request that continues one', () => {
    const [request] = named('GET /v1/conversations/:id').filter(({ parentSpanId }) => parentSpanId !== '');
    const inside = collector.spans.filter(({ parentSpanId }) => parentSpanId === request?.spanId);
    expect(inside.length).toBeGreaterThan(0);
  });

  it('contain no canary: no raw URL, no value of a statement, no message of an error', () => {
    expect(collector.spans.length).toBeGreaterThan(20);
    expect(scanText('spans', collector.bytes().toString('latin1'), canaries)).toEqual([]);
    for (const { status, events } of collector.spans) expect([status?.message ?? '', events]).toEqual(['', []]);
    const keys = new Set(collector.spans.flatMap(({ attributes }) => Object.keys(attributes)));
    expect([...keys].filter((key) => /url|target|host|user|connection|address/.test(key))).toEqual([]);
  });
});
