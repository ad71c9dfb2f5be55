import { describe, expect, it } from 'vitest';
import { completeCall } from './complete-call.js';
import { webhookBody, webhookDocument } from './webhook-body.js';

const call = completeCall('hook', { disconnection_reason: 'call_transfer' });

describe('webhookDocument', () => {
  it('sends a start without end data', () => {
    const { call: started } = webhookDocument('call_started', call);
    expect(started.call_status).toBe('ongoing');
    for (const field of [
      'end_timestamp',
      'transcript',
      'recording_url',
      'call_cost',
      'call_analysis',
      'disconnection_reason',
    ]) {
      expect(started).not.toHaveProperty(field);
    }
  });

  it('sends the end without the analysis, and the analysis with everything', () => {
    expect(webhookDocument('call_ended', call).call).not.toHaveProperty('call_analysis');
    expect(webhookDocument('call_ended', call).call.transcript).toBe(call.transcript);
    expect(webhookDocument('call_analyzed', call).call).toEqual(call);
  });

  it('sends the transcript so far, and the destination of a transfer', () => {
    const updated = webhookDocument('transcript_updated', call).call;
    expect(updated.transcript_with_tool_calls).toEqual(call.transcript_with_tool_calls);
    expect(updated).not.toHaveProperty('end_timestamp');
    expect(webhookDocument('transfer_started', call).call.transfer_destination).toBe(call.transfer_destination);
  });

  it('sends unknown events with the whole call', () => {
    expect(JSON.parse(webhookBody('call_celebrated', call))).toEqual({ event: 'call_celebrated', call });
  });
});
