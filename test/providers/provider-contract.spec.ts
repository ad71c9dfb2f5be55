// Runs over the registry: a provider without fixtures fails. See contract.ts for what each must provide.
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import type { Fact } from '../../src/reducer/fact.js';
import { project } from '../../src/reducer/project.js';
import type { ConversationRecord } from '../../src/reducer/record.js';
import { EMPTY } from '../../src/reducer/conversation-state.js';
import { reduce } from '../../src/reducer/reducer.js';
import { plainValues } from '../../src/providers/plain-fields.js';
import type { Claims, Json } from '../../src/providers/provider-fact.js';
import { providerNamed, providerNames } from '../../src/providers/providers.js';
import { startDoor, type Door } from '../support/door.js';
import { COMMON_MODEL, loadContract, type Document, type ProviderContract, type Said } from './contract.js';

const NOW = 1_760_001_000_000;
const SETTINGS = { deadlines: { analysis: 1800, transcript: 3600, audio: 86_400 }, defaultRegion: null };

const contracts = new Map<string, ProviderContract>();
for (const name of providerNames()) {
  if (!existsSync(new URL(`./fixtures/${name}/contract.ts`, import.meta.url))) continue;
  contracts.set(name, await loadContract(name));
}

function recordOf(claims: Claims): ConversationRecord {
  const fact: Fact = { receivedAt: NOW, hash: '00', source: 'record', event: 'record', claims };
  return project(reduce(EMPTY, [fact]).state, SETTINGS);
}

function valueAt(record: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | null)?.[name], record);
}

/** All texts and numbers of a document as one text. */
const leavesOf = (value: Json): string[] =>
  value !== null && typeof value === 'object' ? Object.values(value).flatMap(leavesOf) : [String(value)];

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);

describe.each(providerNames())('%s', (name) => {
  it('has fixtures and a contract', () => {
    expect(contracts.has(name)).toBe(true);
  });
});

describe.each([...contracts])('%s', (name, contract) => {
  const provider = providerNamed(name);
  const body = JSON.stringify(contract.events[0]?.body);
  const signed = (ageMs: number, text = body) => ({
    rawBody: Buffer.from(text),
    headers: contract.sign(text, NOW - ageMs),
    nowMs: NOW,
  });

  const claimsOf = (said: Said): Claims =>
    'record' in said ? provider.interpretRecord(said.record) : provider.interpretWebhook(said.webhook);

  it.each(['events', 'unknown', 'ends', 'statuses', 'transcripts', 'absences', 'secrets'] as const)(
    'shows %s',
    (what) => {
      expect(contract[what].length).toBeGreaterThan(0);
    },
  );

  describe('signature', () => {
    it('is valid if it was computed independently', () => {
      const { rawBody, headers, atMs, credentials } = contract.vector;
      expect(provider.verify({ rawBody: Buffer.from(rawBody), headers, nowMs: atMs }, credentials)).toBe(true);
    });

    it('is valid within its time, and no longer', () => {
      for (const age of contract.ages.accepted) expect(provider.verify(signed(age), contract.credentials)).toBe(true);
      for (const age of contract.ages.refused) expect(provider.verify(signed(age), contract.credentials)).toBe(false);
    });

    it('is rejected by its header alone if form or time cannot be right', () => {
      for (const age of contract.ages.accepted) expect(provider.isSigned(signed(age))).toBe(true);
      for (const age of contract.ages.refused) expect(provider.isSigned(signed(age))).toBe(false);
      expect(provider.isSigned({ headers: {}, nowMs: NOW })).toBe(false);
      for (const [header, value] of Object.entries(signed(0).headers))
        for (const odd of ['', 'garbage', value.slice(0, -1), `${value}0`, [value, value]])
          expect(provider.isSigned({ headers: { [header]: odd }, nowMs: NOW })).toBe(false);
    });

    it('is invalid if a byte, the secret or the header differs', () => {
      const good = signed(0);
      const verify = (more: object, credentials = contract.credentials) =>
        provider.verify({ ...good, ...more }, credentials);
      expect(verify({ rawBody: Buffer.from(`${body} `) })).toBe(false);
      expect(verify({}, { ...contract.credentials, apiKey: 'other', webhookSecret: 'other' })).toBe(false);
      expect(verify({ headers: {} })).toBe(false);
      for (const [header, value] of Object.entries(good.headers)) {
        for (const odd of ['', 'garbage', value.slice(0, -1), `${value}0`, value.replace(/[0-9a-f]$/, 'x')]) {
          expect(verify({ headers: { ...good.headers, [header]: odd } })).toBe(false);
        }
        expect(verify({ headers: { ...good.headers, [header]: [value, value] } })).toBe(false);
      }
    });
  });

  describe('events', () => {
    it('name their conversation, its kind and its agent', () => {
      for (const { body: event, kind, id, agentId } of contract.events) {
        expect(provider.conversationOf(event)).toMatchObject({
          providerKind: kind,
          providerId: id,
          providerAgentId: agentId,
        });
        expect(provider.kinds).toContain(kind);
        expect(provider.interpretWebhook(event)).toMatchObject({
          kind,
          fields: { provider_conversation_id: id },
        });
      }
    });

    it('are unknown if their type is unknown or they name no conversation', () => {
      for (const event of [...contract.unknown, [], 'text', 7, null]) expect(provider.conversationOf(event)).toBeNull();
    });
  });

  describe('records', () => {
    const fullest = Object.entries(contract.fullest);

    it('exist for every kind', () => {
      expect(fullest.map(([kind]) => kind)).toEqual([...provider.kinds]);
    });

    it.each(fullest)('of a %s produce the record, value by value', (kind, { record, makes }) => {
      const claims = provider.interpretRecord(record);
      expect(claims).toMatchObject({ kind, analysed: true, transcript: { final: true } });
      const { lastFactAt: _, lastTurnAt: __, lostEvidence: ___, recordings, ...made } = recordOf(claims);
      expect(made).toEqual({ ...plainValues(() => null), ...makes });
      expect(recordings).toEqual([]);
    });

    it.each(fullest)(
      'of a %s fill the common model, or leave fields empty on purpose',
      (_, { record, kept, knowinglyNull }) => {
        const claims = provider.interpretRecord(record);
        const made = { ...recordOf(claims), kind: claims.kind };
        const valueOf = ([field, path]: [string, string | null]): unknown =>
          path === null ? valueAt(claims.record, kept[field] ?? '') : valueAt(made, path);
        const empty = Object.entries(COMMON_MODEL).filter((entry) => isEmpty(valueOf(entry)));
        expect(empty.map(([field]) => field).toSorted()).toEqual(knowinglyNull.toSorted());
        for (const field of Object.keys(kept)) expect(COMMON_MODEL).toHaveProperty([field], null);
      },
    );

    it.each(Object.entries(contract.bare))('of a %s claim nothing that they do not mention', (kind, record) => {
      const { fields, agent, recordings, transcript, transfers } = provider.interpretRecord(record);
      expect(Object.keys(fields)).toEqual(['provider_conversation_id']);
      expect({ agent, recordings, transcript, transfers }).toEqual({
        agent: null,
        recordings: [],
        transcript: null,
        transfers: [],
      });
      expect(recordOf(provider.interpretRecord(record))).toMatchObject({
        channel: kind === 'chat' ? 'chat' : 'other',
        status: 'completed',
        end: { category: 'unknown', party: null },
        outcome: { value: 'unknown', score: null },
        cost: null,
      });
    });

    it.each(contract.ends)('end as $category by $party for: $says', ({ category, party, reason, ...said }) => {
      const claims = claimsOf(said);
      const { end, header, transferCount } = recordOf(claims);
      expect({ ...end, reason: header.provider_reason }).toEqual({ category, party, reason });
      if (reason !== null) expect(leavesOf(claims.record)).toContain(reason);
      // An end by a transfer is evidence of a transfer, with or without its target.
      expect(transferCount).toBe(category === 'transferred' ? 1 : 0);
    });

    it.each(contract.absences)('have no $part because of $reason for: $says', ({ part, reason, ...said }) => {
      const { state, reason: given } = recordOf(claimsOf(said)).completeness[part];
      expect([state, given]).toEqual(reason === null ? ['pending', null] : ['absent', reason]);
    });

    it.each(contract.statuses)('are $status for: $says', ({ record, status }) => {
      expect(recordOf(provider.interpretRecord(record)).status).toBe(status);
    });

    it("have the provider's turns, in its order", () => {
      for (const { record, turns } of contract.transcripts) {
        const given = provider.interpretRecord(record).transcript?.turns;
        expect(given).toMatchObject(turns);
        expect(given?.map(({ index }) => index)).toEqual(turns.map((_, index) => index));
      }
    });

    it('keep the document without its secrets', () => {
      const planted = JSON.stringify([...fullest.map(([, { record }]) => record), contract.events]);
      const kept = JSON.stringify([
        ...fullest.map(([, { record }]) => provider.interpretRecord(record)),
        ...contract.events.map(({ body: event }) => provider.interpretWebhook(event)),
      ]);
      for (const secret of contract.secrets) {
        expect(planted).toContain(secret);
        expect(kept).not.toContain(secret);
      }
      for (const [, { record }] of fullest) expect(provider.interpretRecord(record).record).not.toBeNull();
    });

    it('and webhooks contain the version of the mapping that read them', () => {
      const all = [
        ...fullest.map(([, { record }]) => provider.interpretRecord(record)),
        ...contract.events.map(({ body: event }) => provider.interpretWebhook(event)),
      ];
      const versions = new Set(all.map(({ mappingVersion }) => mappingVersion));
      expect([...versions]).toEqual([expect.any(Number)]);
    });

    it('are interpreted whatever a field contains: nothing, an unknown word, another type', () => {
      const id = /_id$/;
      for (const [kind, { record }] of fullest) {
        for (const odd of [null, 'a word of tomorrow', 7, true, [], {}, [{ x: 1 }], undefined]) {
          for (const field of Object.keys(record).filter((key) => !id.test(key))) {
            const claims = provider.interpretRecord(withField(record, field, odd));
            expect(() => recordOf(claims)).not.toThrow();
            expect(claims.kind).toBe(kind);
          }
        }
        const claims = provider.interpretRecord({ ...record, x_new_field: { of: ['tomorrow'] } });
        expect(claims.record).toMatchObject({ x_new_field: { of: ['tomorrow'] } });
      }
    });
  });
});

function withField(record: Document, field: string, value: Json | undefined): Document {
  const { [field]: _, ...rest } = record;
  return value === undefined ? rest : { ...rest, [field]: value };
}

describe('the webhook door', () => {
  let door: Door;
  beforeAll(async () => {
    door = await startDoor();
  });
  afterAll(() => door.close());

  it.each([...contracts])('stores each event of %s once, and also unknown ones', async (name, contract) => {
    const { apiKey, webhookSecret } = contract.credentials;
    const accountId = await door.addAccount({ provider: name, api_key: apiKey, webhook_secret: webhookSecret });
    const send = async (document: Document) => {
      const text = JSON.stringify(document);
      const headers = contract.sign(text, Date.now());
      const request = { rawBody: Buffer.from(text), headers };
      return (await door.receive(publicId('providerAccount', accountId), request)).result;
    };
    for (const { body } of contract.events) {
      expect(await send(body)).toBe('stored');
      expect(await send(body)).toBe('duplicate');
    }
    for (const body of contract.unknown) expect(await send(body)).toBe('unknown');
    const count = async (table: string): Promise<number> =>
      (await door.sql.query(`select 1 from ${table} where provider_account_id = $1`, [accountId])).rows.length;
    expect(await count('inbox')).toBe(contract.events.length + contract.unknown.length);
    const identities = new Set(contract.events.map(({ kind, id }) => `${kind} ${id}`));
    expect(await count('conversation_identities')).toBe(identities.size);
  });
});
