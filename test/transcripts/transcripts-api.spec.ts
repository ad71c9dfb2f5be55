// Transcripts as callers see them: while they grow, when they are done, and when the provider thinks again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { speechOf, transcriptFields } from '../../simulators/retell/index.js';
import { publicId } from '../../src/common/ids.js';
import { startApi, type Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { parseSrt, parseVtt } from './subtitle-parsers.js';

let colloquy: Installation;
let api: Api;

beforeAll(async () => {
  colloquy = await install();
  api = await startApi(colloquy);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

const LINES = ['A: Hello, how can I help?', 'U: Is it < 10 & free?', 'A: Yes, it is.', 'U: Thank you.'];
const spoken = (...lines: string[]) => transcriptFields(speechOf('seed', lines).items);
const urlOf = (id: string): string => `/v1/conversations/${publicId('conversation', id)}/transcript`;
const textsOf = (body: Record<string, unknown>): unknown[] =>
  (body['turns'] as { text: string }[]).map(({ text }) => text);

/** The transcript, once it has so many turns. */
const grown = (url: string, count: number) =>
  eventually(async () => {
    const answer = await api.call('GET', url);
    return (answer.body['turns'] as unknown[]).length === count && answer;
  });

async function settledCall(seed: string): Promise<{ callId: string; url: string; id: string }> {
  const { call_id: callId } = colloquy.retell.addCompleteCall(spoken(...LINES), seed);
  await colloquy.send('call_analyzed', callId);
  const { id } = await colloquy.settled(callId);
  return { callId, url: urlOf(id), id };
}

async function readsOf(id: string): Promise<number> {
  return (await colloquy.store.journal(id)).filter(({ action }) => action === 'content.read').length;
}

describe('a transcript', () => {
  it('grows while the conversation is live, and is final when it is over', async () => {
    const { call_id: callId } = colloquy.retell.addCall();
    await colloquy.send('call_started', callId);
    const { id } = await colloquy.call(callId);
    const url = urlOf(id);
    const silent = await api.call('GET', url);
    expect(silent.body).toMatchObject({ final: false, turns: [] });
    expect(await readsOf(id)).toBe(0);

    const seen: { revision: unknown; etag: string | undefined }[] = [];
    for (const count of [1, 2, 3]) {
      colloquy.retell.calls.update(callId, spoken(...LINES.slice(0, count)));
      await colloquy.send('transcript_updated', callId);
      const { body, headers } = await grown(url, count);
      expect(body['final']).toBe(false);
      seen.push({ revision: body['revision'], etag: headers['etag'] });
      expect(textsOf((await api.call('GET', `${url}?after_index=${count - 2}`)).body)).toEqual([
        LINES[count - 1]?.slice(3),
      ]);
    }
    const revisions = seen.map(({ revision }) => revision as number);
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
    expect(new Set(seen.map(({ etag }) => etag)).size).toBe(3);

    colloquy.retell.endCall(callId, spoken(...LINES));
    await colloquy.send('call_ended', callId);
    const last = await grown(url, 4);
    expect(last.body['final']).toBe(true);
    expect(textsOf((await api.call('GET', `${url}?after_index=3`)).body)).toEqual([]);
  });

  it('is another revision when the provider rewrites its record: readers see it, and the history tells', async () => {
    const { callId, url, id } = await settledCall('rewritten');
    const before = await api.call('GET', url);
    const entries = (await colloquy.store.journal(id)).length;
    colloquy.retell.calls.update(callId, spoken('A: Hello, how may I help you?', ...LINES.slice(1)));
    await colloquy.send('call_analyzed', callId);
    const after = await eventually(async () => {
      const answer = await api.call('GET', url, { headers: { 'if-none-match': before.headers['etag'] ?? '' } });
      return answer.status === 200 && answer;
    });
    expect(textsOf(after.body)[0]).toBe('Hello, how may I help you?');
    expect(after.body['final']).toBe(true);
    expect(after.body['revision']).toBeGreaterThan(before.body['revision'] as number);
    const told = (await colloquy.store.journal(id)).slice(entries);
    expect(told).toContainEqual(
      expect.objectContaining({
        action: 'conversation.updated',
        changes: expect.arrayContaining(['transcript']),
        actor_type: 'provider',
      }),
    );
  });

  it('is not sent again, nor journaled, to who has this version: 304', async () => {
    const { url, id } = await settledCall('unchanged');
    const { headers } = await api.call('GET', url);
    // With the same key the entry of these five minutes would hide another.
    const key = await api.newReader();
    const reads = await readsOf(id);
    const again = await api.call('GET', url, { key, headers: { 'if-none-match': headers['etag'] ?? '' } });
    expect([again.status, again.text, again.headers['etag']]).toEqual([304, '', headers['etag']]);
    expect(await readsOf(id)).toBe(reads);
    expect((await api.call('GET', url, { key, headers: { 'if-none-match': '"0"' } })).status).toBe(200);
    expect(await readsOf(id)).toBe(reads + 1);
  });

  it('comes as subtitles, by format and by Accept, each form with an entity tag of its own', async () => {
    const { url } = await settledCall('subtitles');
    const forms = [
      ['srt', 'application/x-subrip', parseSrt],
      ['vtt', 'text/vtt', parseVtt],
    ] as const;
    const tags = [(await api.call('GET', url)).headers['etag']];
    for (const [format, type, parse] of forms) {
      const { headers, text } = await api.call('GET', `${url}?format=${format}`);
      expect(headers['content-type']).toBe(`${type}; charset=utf-8`);
      expect(parse(text).map((cue) => `${cue.speaker}: ${cue.text}`)).toEqual(
        LINES.map((line) => line.replace('A:', 'Agent:').replace('U:', 'Customer:')),
      );
      expect(parse((await api.call('GET', `${url}?format=${format}&after_index=1`)).text)).toHaveLength(2);
      expect((await api.call('GET', url, { headers: { accept: type } })).text).toBe(text);
      tags.push(headers['etag']);
    }
    expect(new Set(tags).size).toBe(3);
    const wrong = await api.call('GET', `${url}?format=ttml`);
    expect([wrong.status, wrong.body['code']]).toEqual([400, 'invalid_request']);
  });
});
