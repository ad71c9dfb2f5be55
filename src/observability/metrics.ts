// Counters and histograms of this process, for Prometheus. Labels are enumerations, ours or a provider's; never ids or content.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { BoundedLabel } from './bounded-label.js';

/** Metrics that are counted as events happen; gauges that are read at scrape time have their own registries. */
export const registry = new Registry();

const registers = [registry];
const SECOND = 1;
const MINUTE = 60;
const HOUR = 3_600;

const requests = new Histogram({
  name: 'colloquy_http_request_duration_seconds',
  help: 'Requests by route template, from the first byte of the request to the last of the response',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  registers,
});
const factsReceived = new Counter({
  name: 'colloquy_facts_received_total',
  help: 'Facts that reached the inbox; result: stored, duplicate, or unknown (stored, but it names no conversation)',
  labelNames: ['provider', 'source', 'event', 'result'],
  registers,
});
const factsApplied = new Histogram({
  name: 'colloquy_ingest_seconds',
  help: 'From the receipt of a fact to the commit that applied it',
  labelNames: ['provider'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30, 2 * MINUTE, 10 * MINUTE, HOUR],
  registers,
});
const factsParked = new Counter({
  name: 'colloquy_facts_parked_total',
  help: 'Facts that were parked after five failed attempts',
  labelNames: ['provider', 'reason'],
  registers,
});
const postponed = new Counter({
  name: 'colloquy_facts_postponed_total',
  help: 'Postponements of facts for a reason that is not their own, by its code',
  labelNames: ['provider', 'reason'],
  registers,
});
const indexed = new Histogram({
  name: 'colloquy_search_index_seconds',
  help: 'From the commit of a change to the commit that made the conversation findable by it',
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, MINUTE, 10 * MINUTE, HOUR],
  registers,
});
const searchComplete = new Gauge({
  name: 'colloquy_search_complete',
  help: 'Whether every conversation is in the search index: 1, or 0 while it is rebuilt',
  registers,
});
const indexPostponed = new Counter({
  name: 'colloquy_search_postponed_total',
  help: 'Times that a conversation could not be indexed and was put off, by the code of the cause',
  labelNames: ['reason'],
  registers,
});
const trimmed = new Counter({
  name: 'colloquy_documents_trimmed_total',
  help: 'Documents of which a part was left out because it could not be stored or exceeded a limit',
  labelNames: ['provider', 'what'],
  registers,
});
const endsUnmapped = new Counter({
  name: 'colloquy_unmapped_end_reasons_total',
  help: 'Conversations whose end reason the mapping does not know (category unknown)',
  labelNames: ['provider'],
  registers,
});
const custody = new Histogram({
  name: 'colloquy_recording_custody_seconds',
  help: 'From the end of a conversation until its recording was stored',
  labelNames: ['provider'],
  buckets: [SECOND, 5, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR],
  registers,
});
const workflows = new Counter({
  name: 'colloquy_workflow_commands_total',
  help: 'Calls to Temporal, by workflow, kind of command (restarted: what has work had no workflow) and result',
  labelNames: ['workflow', 'kind', 'result'],
  registers,
});

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const events = new BoundedLabel();
const reasons = new BoundedLabel();

/** A request was answered, or its connection cut. `route` is the template; null if none matched. */
export function requestAnswered(about: {
  method: string;
  route: string | null;
  status: number;
  seconds: number;
}): void {
  const method = METHODS.has(about.method) ? about.method : 'other';
  requests.observe({ method, route: about.route ?? 'none', status: about.status }, about.seconds);
}

/** A fact reached the inbox. */
export function factReceived(about: {
  provider: string;
  source: string;
  event: string;
  result: 'stored' | 'duplicate' | 'unknown';
}): void {
  factsReceived.inc({ ...about, event: events.of(about.event) });
}

/** Facts of one conversation were applied and committed; `receivedAt` in epoch milliseconds. */
export function factsCommitted(provider: string, receivedAt: number[]): void {
  const now = Date.now();
  for (const at of receivedAt) factsApplied.observe({ provider }, Math.max(0, now - at) / 1000);
}

/** A fact was parked; `reason` is a code. */
export function factParked(provider: string, reason: string): void {
  factsParked.inc({ provider, reason: reasons.of(reason) });
}

/** Facts were postponed for a reason that is not their own; `reason` is a code. */
export function factsPostponed(provider: string, reason: string): void {
  postponed.inc({ provider, reason: reasons.of(reason) });
}

/** Conversations are findable as they are; `changedAt` in epoch milliseconds. */
export function conversationsIndexed(changedAt: number[]): void {
  const now = Date.now();
  for (const at of changedAt) indexed.observe(Math.max(0, now - at) / 1000);
}

/** Whether the index has every conversation. */
export function searchIsComplete(isComplete: boolean): void {
  searchComplete.set(Number(isComplete));
}

/** A conversation could not be indexed; `reason` is a code. */
export function indexingPostponed(reason: string): void {
  indexPostponed.inc({ reason: reasons.of(reason) });
}

/** A part of a document was left out; `what` says which, from our enumeration. */
export function documentTrimmed(provider: string, what: string): void {
  trimmed.inc({ provider, what });
}

/** A conversation ended with a reason that the mapping does not know. */
export function endUnmapped(provider: string): void {
  endsUnmapped.inc({ provider });
}

/** A recording was stored; `endTime` of its conversation in epoch milliseconds. */
export function recordingStored(provider: string, endTime: number): void {
  custody.observe({ provider }, Math.max(0, Date.now() - endTime) / 1000);
}

/**
 * Temporal was called for a workflow. `kind` is an enumeration of that workflow's commands, or `restarted`. `refused` and
 * `parked`: by Temporal, and the last time; `failed`: Temporal was away.
 */
export function workflowCommandSent(
  { workflow, kind }: { workflow: string; kind: string },
  result: 'started' | 'running' | 'signalled' | 'refused' | 'parked' | 'failed',
): void {
  workflows.inc({ workflow, kind, result });
}
