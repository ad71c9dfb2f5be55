// Changes of a record → journal entries: names of the changed fields, never their content. Pure.
import { PARTS } from './completeness.js';
import type { Fact, StoredRecording } from './fact.js';
import type { ConversationRecord } from './record.js';

export interface HistoryEntry {
  action: string;
  changes: string[];
  reason: string | null;
}

/** Fields that alone do not count as a change of the record, because they may change with any fact. */
const NOT_A_CHANGE = new Set(['lastFactAt', 'lastTurnAt', 'fetchable', 'lostEvidence', 'holder']);

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const differs = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b);

/** Names of fields that differ, including those inside the header and completeness. */
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

/** Journal entries for applying `facts`, in the order of a conversation's life. */
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
  const isNew = (copy: StoredRecording): boolean => references(after, copy) && !references(before, copy);
  for (const fact of facts) {
    for (const { variant } of storedBy(fact).filter(isNew))
      add(hasVariant(before, variant) ? 'recording.replaced' : 'recording.stored', variant);
    if (fact.source === 'workflow' && fact.statement.kind === 'part_absent')
      add('part.declared_absent', `${fact.statement.part}: ${fact.statement.reason}`);
  }
  for (const part of PARTS) {
    const { state, reason } = after.completeness[part];
    if (state === 'erased' && before?.completeness[part].state !== 'erased') add('part.erased', `${part}: ${reason}`);
  }
  if (before?.recordState !== 'settled' && after.recordState === 'settled') add('conversation.settled');
  if (entries.length === 0) add('conversation.updated');
  return entries;
}

function storedBy(fact: Fact): StoredRecording[] {
  if (fact.source !== 'workflow') return fact.stored ?? [];
  return fact.statement.kind === 'recording_stored' ? [fact.statement.recording] : [];
}

/** Whether there was a copy already. Audio from a webhook may be stored after a download, and replaces it if received first. */
const hasVariant = (record: ConversationRecord | null, variant: string): boolean =>
  record?.recordings.some((recording) => recording.variant === variant) ?? false;

/** Two attempts, or a webhook and a download, may store the same recording; only the copy that the record references counts. */
const references = (record: ConversationRecord | null, { id, created_at }: StoredRecording): boolean =>
  record?.recordings.some((recording) => recording.id === id && recording.created_at === created_at) ?? false;
