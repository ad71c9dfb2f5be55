// Handovers inside one conversation, as its tools tell them (reference/providers.md 6). Nothing is known of what follows one to a number.
import type { TransferClaim } from '../provider-fact.js';
import { toMs } from '../provider-mapping.js';
import type { ElevenLabsItem } from './payload.js';

const TO_NUMBER = /^transfer_to_number_\w+_success$/;

interface Conversation {
  /** Epoch milliseconds. */
  startMs: number | null;
  hasEnded: boolean;
}

/** Transfers in order. */
export function transfersOf(items: ElevenLabsItem[], { startMs, hasEnded }: Conversation): TransferClaim[] {
  const told = items.flatMap((item, index) => toldBy(item, { index, startMs }));
  const agents = told.some(({ target, status }) => target.type === 'agent' && status === 'bridged');
  // While it is live, the tool's result may only be late.
  return agents || !hasEnded ? told : [...told, ...changesOfSpeaker(items, startMs)];
}

interface Place {
  index: number;
  startMs: number | null;
}

function toldBy(item: ElevenLabsItem, { index, startMs }: Place): TransferClaim[] {
  const at = timeOf(item, startMs);
  return (item.tool_results ?? []).flatMap(({ request_id: requestId, result }, nth): TransferClaim[] => {
    const id = requestId ?? `${index}.${nth}`;
    const type = result?.result_type ?? '';
    const agent = { type: 'agent', value: result?.to_agent ?? null } as const;
    const phone = { type: 'phone', value: result?.transfer_number ?? null } as const;
    if (type === 'transfer_to_agent_success') return [{ id, target: agent, status: 'bridged', at }];
    if (type === 'transfer_to_agent_error') return [{ id, target: agent, status: 'failed', at }];
    if (type === 'transfer_to_number_error') return [{ id, target: phone, status: 'failed', at }];
    return TO_NUMBER.test(type) ? [{ id, target: phone, status: 'bridged', at }] : [];
  });
}

/** Workflows hand over between agents without a tool: then the one who speaks next shows it. */
function changesOfSpeaker(items: ElevenLabsItem[], startMs: number | null): TransferClaim[] {
  let holder: string | null = null;
  return items.flatMap((item, index): TransferClaim[] => {
    const speaker = item.role === 'agent' ? (item.agent_metadata?.agent_id ?? null) : null;
    if (speaker === null || speaker === holder) return [];
    const isFirst = holder === null;
    holder = speaker;
    const target = { type: 'agent', value: speaker } as const;
    return isFirst ? [] : [{ id: `speaker.${index}`, target, status: 'bridged', at: timeOf(item, startMs) }];
  });
}

function timeOf(item: ElevenLabsItem, startMs: number | null): number | null {
  const offset = toMs(item.time_in_call_secs);
  return startMs === null || offset === null ? null : startMs + offset;
}
