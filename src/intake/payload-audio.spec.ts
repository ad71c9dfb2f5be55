import { describe, expect, it } from 'vitest';
import type { Claims } from '../providers/provider-fact.js';
import { DataKey } from '../vault/data-key.js';
import type { Fact, StoredRecording } from '../reducer/fact.js';
import { ofRecording } from '../reducer/register-writes.js';
import type { Registers } from '../reducer/registers.js';
import { AudioNotStored, storePayloadAudio, type StoreAudio } from './payload-audio.js';

const owner = {
  conversationId: '0190a0b0-0000-7000-8000-000000000001',
  clientId: '0190a0b0-0000-7000-8000-000000000002',
};
const key = DataKey.random('test');
const CLAIMS: Claims = {
  mappingVersion: 1,
  kind: 'conversation',
  phase: 1,
  providerTime: null,
  live: null,
  ended: null,
  agent: null,
  transcript: null,
  analysed: false,
  record: null,
  fields: {},
  transfers: [],
  recordings: [],
  denied: [],
  audio: [{ variant: 'mixed', contentType: 'audio/mpeg', bytes: Buffer.from('ID3') }],
};
const heard = (receivedAt: number, hash = 'aa'): Fact => ({
  receivedAt,
  hash,
  source: 'webhook',
  event: 'post_call_audio',
  claims: CLAIMS,
});

/** Records what is stored. */
function recorder(): { store: StoreAudio; laid: string[]; versions: string[] } {
  const laid: string[] = [];
  const versions: string[] = [];
  return {
    laid,
    versions,
    store: (ref, _, bytes) => {
      versions.push(ref.version);
      laid.push(`${ref.id} ${bytes.toString()}`);
      return Promise.resolve(`key of ${ref.id}`);
    },
  };
}

const stored = (facts: Fact[]): StoredRecording[] =>
  facts.flatMap((fact) => (fact.source === 'workflow' ? [] : (fact.stored ?? [])));

/** The register of a recording that was received at a time. */
function known(receivedAt: number): Registers {
  const recording = { variant: 'mixed' } as StoredRecording;
  const { key: name, value, stamp } = ofRecording(recording, { receivedAt, hash: 'bb' });
  return { [name]: { value, stamp } };
}

describe('storePayloadAudio', () => {
  it('stores the audio and refers to its object, without the bytes', async () => {
    const { store, laid } = recorder();
    const facts = await storePayloadAudio(store, { owner, key, facts: [heard(5)], registers: {} });
    const [recording] = stored(facts);
    expect(laid).toEqual([`${recording?.id} ID3`]);
    expect(recording).toMatchObject({
      variant: 'mixed',
      content_type: 'audio/mpeg',
      bytes: 3,
      created_at: 5,
      object_key: `key of ${recording?.id}`,
    });
    expect(facts).toMatchObject([{ claims: { audio: [] } }]);
  });

  it('uses the same recording id and another object when repeated, another id for other bytes', async () => {
    const { store, laid, versions } = recorder();
    const attempt = (facts: Fact[]) => storePayloadAudio(store, { owner, key, facts, registers: {} });
    await attempt([heard(5)]);
    await attempt([heard(5)]);
    await attempt([heard(5, 'cc')]);
    expect(laid[0]).toBe(laid[1]);
    expect(laid[2]).not.toBe(laid[0]);
    expect(new Set(versions).size).toBe(3);
  });

  it('stores nothing if a recording exists already', async () => {
    const { store, laid } = recorder();
    const facts = await storePayloadAudio(store, { owner, key, facts: [heard(5)], registers: known(4) });
    expect([laid, stored(facts)]).toEqual([[], []]);
    await storePayloadAudio(store, { owner, key, facts: [heard(5)], registers: known(6) });
    expect(laid).toHaveLength(1);
  });

  it('throws AudioNotStored if the store fails', async () => {
    const failing = storePayloadAudio(() => Promise.reject(new Error('full')), {
      owner,
      key,
      facts: [heard(5)],
      registers: {},
    });
    await expect(failing).rejects.toBeInstanceOf(AudioNotStored);
  });
});
