// What a change means for the journal: names of what changed, never its words. Pure.
import type { Fact } from './fact.js';
import type { ConversationRecord } from './record.js';

export interface HistoryEntry {
  action: string;
  changes: string[];
  reason: string | null;
}

/** Moves with every fact; by itself it is no change of the record. */
const NOT_A_CHANGE = new Set(['lastFactAt', 'lastTurnAt', 'fetchable', 'lostEvidence']);

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const differs = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b);

/** Names of fields that differ; those of the header and of completeness by their own names. */
export function changesBetween(before: ConversationRecord | null, after: ConversationRecord): string[] {
  const changed: string[] = [];
  const compare = (old: object | null, now: object, prefix = ''): void => {
    for (const [name, value] of Object.entries(now)) {
      if (NOT_A_CHANGE.has(name) || name === 'header' || name === 'completeness') continue;
      if (differs((old as Record<string, unknown> | null)?.[name] ?? null, value ?? null))
        changed.push(`${prefix}${snake(name)}`);
    }
  };
  compare(before, after);
  compare(before?.header ?? null, after.header);
  compare(before?.completeness ?? null, after.completeness, 'completeness.');
  return [...new Set(changed)].sort();
}

/** Journal entries of one application of facts, in the order of a conversation's life. */
export function entriesOf(
  before: ConversationRecord | null,
  after: ConversationRecord,
  facts: Fact[],
  hasContent: boolean,
): HistoryEntry[] {
  const changes = changesBetween(before, after);
  if (hasContent && !changes.includes('transcript')) changes.push('transcript');
  if (before !== null && changes.length === 0) return [];
  const entries: HistoryEntry[] = [];
  const add = (action: string, reason: string | null = null): void => {
    entries.push({ action, changes: entries.length === 0 ? changes : [], reason });
  };
  if (before === null) add('conversation.created');
  const wasOpen = before === null || before.recordState === 'open';
  if (wasOpen && after.recordState !== 'open')
    add('conversation.ended', after.lostEvidence ?? after.end?.category ?? null);
  for (const fact of facts) {
    if (fact.source !== 'workflow') {
      for (const { variant } of fact.stored ?? []) add('recording.stored', variant);
      continue;
    }
    if (fact.statement.kind === 'recording_stored') add('recording.stored', fact.statement.recording.variant);
    if (fact.statement.kind === 'part_absent')
      add('part.declared_absent', `${fact.statement.part}: ${fact.statement.reason}`);
  }
  if (before?.recordState !== 'settled' && after.recordState === 'settled') add('conversation.settled');
  if (entries.length === 0) add('conversation.updated');
  return entries;
}
