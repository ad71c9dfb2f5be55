// Sends the webhooks of transfers as they happen: `transfer_started`, then `transfer_bridged` or `transfer_cancelled`,
// and `transfer_ended` when the colleague hangs up.
import type { Outbox, Pace } from '../pace.js';
import { Random } from '../random.js';
import type { Fields } from '../records.js';
import type { RetellCall, TranscriptItem } from './call.js';
import { planCall } from './plan.js';
import type { RetellSimulator } from './server.js';

const isTransfer = (item: TranscriptItem): item is Extract<TranscriptItem, { role: 'tool_call_invocation' }> =>
  item.role === 'tool_call_invocation' && item.name === 'transfer_call';

/** The transfer webhooks of traffic. */
export class TransferNews {
  constructor(
    private readonly simulator: RetellSimulator,
    private readonly pace: Pace,
    private readonly outbox: Outbox,
    private readonly speed: number,
  ) {}

  /**
   * Sends the transfer webhooks of a live call when they are due, unless the call is stopped before. On a busy machine that
   * may be after the planned end: the seed determines what happens in a call, not the load.
   */
  report(begun: RetellCall, whole: RetellCall, seed: string, stopped: AbortSignal): void {
    const asked = (whole.transcript_with_tool_calls ?? []).find(isTransfer);
    if (!asked) return;
    const seconds = (whole.duration_ms ?? 0) / 1000 - asked.time_sec;
    const endMs = (begun.start_timestamp ?? 0) + (whole.duration_ms ?? 0);
    const destination = whole.transfer_destination ?? planCall(seed, begun).colleagueNumber;
    const call = { ...begun, transfer_destination: destination, transfer_option: { type: optionOf(asked) } };
    const isCancelled = whole.disconnection_reason === 'transfer_cancelled';
    this.pace.run(async () => {
      const waitMs = endMs - this.simulator.clock();
      await this.pace.pause(waitMs - (seconds * 1000) / this.speed);
      if (stopped.aborted) return;
      this.outbox.post('transfer_started', call.call_id, this.simulator.bodyOf('transfer_started', call));
      await this.pace.pause((seconds * 600) / this.speed);
      const outcome = isCancelled ? 'transfer_cancelled' : 'transfer_bridged';
      this.outbox.post(outcome, call.call_id, this.simulator.bodyOf(outcome, call));
    });
  }

  /** The final fields of a call. After a transfer, the transferred leg ends soon, at the speed of the traffic. */
  withEnd(seed: string, fields: Fields): Fields {
    if (fields['disconnection_reason'] !== 'call_transfer') return fields;
    const leftMs = new Random(`${seed} transfer leg`).between(20_000, 200_000) / this.speed;
    return { ...fields, transfer_end_timestamp: Math.round(this.simulator.clock() + leftMs) };
  }

  /** Sends `transfer_ended` when the transferred leg is over. */
  tellEnd(callId: string): void {
    const call = this.simulator.calls.get(callId);
    const endMs = call?.transfer_end_timestamp;
    if (call?.disconnection_reason !== 'call_transfer' || endMs === undefined) return;
    this.pace.run(async () => {
      await this.pace.pause(endMs - this.simulator.clock());
      if (this.simulator.calls.get(callId) === undefined) return;
      this.outbox.post('transfer_ended', callId, this.simulator.webhookBody('transfer_ended', callId));
    });
  }
}

function optionOf(asked: { arguments: string }): string {
  return asked.arguments.includes('"warm"') ? 'warm_transfer' : 'cold_transfer';
}
