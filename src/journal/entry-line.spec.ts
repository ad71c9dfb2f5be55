import fc from 'fast-check';
import { NIL } from 'uuid';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../common/canonical-json.js';
import type { JournalEntryEntity } from '../database/entities/journal-entry.entity.js';
import { entryLine, leafHash, listedHash } from './entry-line.js';

const uuid = (n: number): string => `01936f2e-0000-7000-8000-00000000000${n}`;
const ENTRY: Omit<JournalEntryEntity, never> = {
  position: '4711',
  id: '01936f2e-7d3c-7a55-b1c9-0e2f6c1d8a90',
  client_id: uuid(1),
  conversation_id: uuid(2),
  time: new Date('2026-11-30T09:00:02.120Z'),
  action: 'conversation.ended',
  object_ids: [uuid(4), uuid(3)],
  actor_type: 'provider',
  actor_id: 'pa_01m83yrbakevxt6nf6xgmcsg8h',
  purpose: null,
  reason: 'customer "hangup" é\u2028',
  workflow_id: null,
  changes: ['status', 'end'],
  revision: 2,
  listed_hash: null,
};

// Hashes that another program has computed.
const LINE = [
  '{"action":"conversation.ended","actor":{"id":"pa_01m83yrbakevxt6nf6xgmcsg8h","type":"provider"}',
  '"changes":["status","end"],"client_id":"cl_01jdqjw000e008000000000001"',
  '"conversation_id":"conv_01jdqjw000e008000000000002","id":"jrn_01jdqjwz9wf9av3j8e5xp1v2mg","listed_sha256":null',
  `"object_ids":["${uuid(4)}","${uuid(3)}"],"purpose":null`,
  '"reason":"customer \\"hangup\\" é\u2028","revision":2,"time":"2026-11-30T09:00:02.120Z","v":1,"workflow_id":null}',
].join(',');
const HASH = '444989afa2be9fa7942db95adf39ced64b80a4defa9a83168e461d4de866ff19';
const LISTED = 'dbe0993dc3538b0837d8ebf264beab7f50626abfc3b6a31ea15cfa5e18b7a027';

describe('the line of an entry', () => {
  it('is this, byte for byte, for as long as there are lines of version 1', () => {
    expect(entryLine(ENTRY)).toBe(LINE);
    expect(leafHash(LINE).toString('hex')).toBe(HASH);
  });

  it('says whether it belongs to the log of a client or to that of the system', () => {
    expect(JSON.parse(entryLine({ ...ENTRY, client_id: NIL }))).toMatchObject({ client_id: 'system' });
  });

  it('is canonical, and another one when any column but the position is', () => {
    const text = fc.string({ unit: 'grapheme' });
    const other: { [Name in keyof JournalEntryEntity]: fc.Arbitrary<JournalEntryEntity[Name]> } = {
      position: fc.bigInt({ min: 1n, max: 2n ** 53n }).map(String),
      id: fc.uuid(),
      client_id: fc.uuid(),
      conversation_id: fc.option(fc.uuid()),
      time: fc.date({ noInvalidDate: true }),
      action: text,
      object_ids: fc.array(fc.uuid()),
      actor_type: text,
      actor_id: fc.option(text),
      purpose: fc.option(text),
      reason: fc.option(text),
      workflow_id: fc.option(text),
      changes: fc.array(text),
      revision: fc.option(fc.integer()),
      listed_hash: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes))),
    };
    fc.assert(
      fc.property(
        fc.record(other),
        fc.constantFrom(...Object.keys(other)),
        fc.record(other),
        (entry, column, value) => {
          const name = column as keyof JournalEntryEntity;
          const changed = { ...entry, [name]: value[name] };
          const isSame = name === 'position' || JSON.stringify(changed) === JSON.stringify(entry);
          expect(entryLine(changed) === entryLine(entry)).toBe(isSame);
          expect(entryLine(changed)).toBe(canonicalJson(JSON.parse(entryLine(changed))));
          expect(entryLine(changed)).not.toContain('\n');
        },
      ),
    );
  });
});

describe('the hash of the conversations on a page', () => {
  it('is that of their public ids, in whatever order they stood there', () => {
    expect(listedHash([uuid(3), uuid(2)]).toString('hex')).toBe(LISTED);
    expect(listedHash([uuid(2), uuid(3)]).toString('hex')).toBe(LISTED);
    expect(listedHash([uuid(2)]).toString('hex')).not.toBe(LISTED);
  });
});
