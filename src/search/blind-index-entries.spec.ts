import { describe, expect, it } from 'vitest';
import { BlindIndexHasher } from '../vault/blind-index-hasher.js';
import { DataKey } from '../vault/data-key.js';
import { blindIndexEntriesOf } from './blind-index-entries.js';
import type { Header, TransferRecord } from '../reducer/record.js';

const hasher = new BlindIndexHasher(new DataKey(Buffer.alloc(32, 7), 'client'));

const EMPTY: Header = {
  provider_conversation_id: null,
  customer_number: null,
  customer_user_id: null,
  presentation: null,
  agent_number: null,
  provider_reason: null,
  title: null,
  summary: null,
  rationale: null,
  tags: [],
  metadata: {},
  variables: {},
  collected_variables: {},
  correlation: [],
  segments: [],
  transfers: [],
};
const transferTo = (type: TransferRecord['target']['type'], value: string | null): TransferRecord => ({
  kind: null,
  status: 'bridged',
  initiated_by: 'provider',
  start_time: null,
  end_time: null,
  target: { type, value },
});

/** The entries of a header, as sorted `kind hash` lines. */
const found = (header: Partial<Header>): string[] =>
  blindIndexEntriesOf({ ...EMPTY, ...header }, hasher)
    .map(({ kind, hash }) => `${kind} ${hash.toString('hex')}`)
    .sort();
type Value = Parameters<BlindIndexHasher['hash']>;
const hashes = (...values: Value[]): string[] =>
  values.map(([kind, ...value]) => `${kind} ${hasher.hash(kind, ...value).toString('hex')}`).sort();

describe('blindIndexEntriesOf', () => {
  it('has no entries for an empty header', () => {
    expect(found({})).toEqual([]);
  });

  it('has a phone number in full and its last four digits', () => {
    expect(found({ customer_number: '+12025550142' })).toEqual(
      hashes(['phone', '+12025550142'], ['phone_last4', '0142']),
    );
  });

  it.each(['anonymous', '4711', 'sip:reception@example.org'])('has no entry for other callers: %s', (raw) => {
    expect(found({ customer_number: raw })).toEqual([]);
  });

  it('has ids unchanged, and the user id trimmed', () => {
    expect(found({ provider_conversation_id: 'call_1', customer_user_id: ' u-1 ' })).toEqual(
      hashes(['provider_id', 'call_1'], ['user_id', 'u-1']),
    );
  });

  it('has tags, and correlation and metadata by name and value', () => {
    const header = {
      tags: ['vip', 'refund'],
      correlation: [{ namespace: 'twilio.call_sid', value: 'CA1' }],
      metadata: { order: 'A-17', attempt: 2, test: true },
    };
    expect(found(header)).toEqual(
      hashes(
        ...([
          ['tag', 'vip'],
          ['tag', 'refund'],
          ['correlation', 'twilio.call_sid', 'CA1'],
          ['metadata', 'order', 'A-17'],
          ['metadata', 'attempt', '2'],
          ['metadata', 'test', 'true'],
        ] satisfies Value[]),
      ),
    );
  });

  it('has no metadata that is null, nested or too long for a key', () => {
    const metadata = { none: null, nested: { a: 1 }, list: ['a'], text: 'x'.repeat(257), key: 'x'.repeat(256) };
    expect(found({ metadata })).toEqual(hashes(['metadata', 'key', 'x'.repeat(256)]));
  });

  it('has the targets of transfers once each: normalised numbers, other targets unchanged', () => {
    const transfers = [
      transferTo('phone', '+1 (202) 555-0177'),
      transferTo('phone', '+12025550177'),
      transferTo('agent', 'agt_1'),
      transferTo('phone', null),
    ];
    expect(found({ transfers })).toEqual(hashes(['transfer_target', '+12025550177'], ['transfer_target', 'agt_1']));
  });

  it('has no entries for content: title, summary, variables, the number of the agent', () => {
    const header = { title: 'T', summary: 'S', rationale: 'R', variables: { name: 'N' }, agent_number: '+12025550100' };
    expect(found(header)).toEqual([]);
  });
});
