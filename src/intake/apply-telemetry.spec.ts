import { describe, expect, it } from 'vitest';
import { newUuid } from '../common/ids.js';
import { telemetryOf } from './apply-telemetry.js';
import type { ConversationRef } from '../record-store/conversation-ref.js';
import type { ConversationRecord } from '../reducer/record.js';

const NOW = Date.parse('2026-11-23T10:00:00Z');
const ref = (createdAt: number): ConversationRef => ({
  conversationId: newUuid(),
  clientId: newUuid(),
  providerAccountId: newUuid(),
  provider: 'retell',
  createdAt: new Date(createdAt),
});
const record = (endTime: number | null, category: string | null, reason: string | null, recordings = 0) =>
  ({
    status: 'completed',
    recordState: 'settling',
    endTime,
    header: { provider_reason: reason },
    end: category === null ? null : { category, party: null },
    recordings: Array.from({ length: recordings }, () => ({})),
  }) as unknown as ConversationRecord;

describe('telemetryOf', () => {
  it('reports an unmapped reason once', () => {
    const isReported = (before: ConversationRecord | null, after: ConversationRecord): boolean =>
      telemetryOf(ref(NOW), [], before, after).isUnmapped;
    const unmapped = record(NOW, 'unknown', 'new_reason');
    expect(isReported(null, unmapped)).toBe(true);
    expect(isReported(record(null, null, null), unmapped)).toBe(true);
    expect(isReported(unmapped, unmapped)).toBe(false);
    expect(isReported(null, record(NOW, 'unknown', null))).toBe(false);
    expect(isReported(null, record(NOW, 'customer_hangup', 'user_hangup'))).toBe(false);
  });

  it('measures time to custody from the end to the first recording, but not for backfilled conversations', () => {
    const before = record(NOW, 'customer_hangup', 'user_hangup');
    const after = record(NOW, 'customer_hangup', 'user_hangup', 1);
    expect(telemetryOf(ref(NOW - 60_000), [], before, after).inCustodySince).toBe(NOW);
    expect(telemetryOf(ref(NOW), [], after, after).inCustodySince).toBeNull();
    expect(telemetryOf(ref(NOW), [], before, before).inCustodySince).toBeNull();
    expect(telemetryOf(ref(NOW + 2 * 3_600_000), [], before, after).inCustodySince).toBeNull();
  });
});
