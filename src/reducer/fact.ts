// A fact that intake has opened and understood: what is claimed, and when it was first received.
import type { Omission } from '../providers/storable-json.js';
import type { Claims, Json, Part, RecordingVariant } from '../providers/provider-fact.js';

/** A recording that lies in our store. `object_key` names it there; `bytes` counts the audio itself. */
export interface StoredRecording {
  id: string;
  variant: RecordingVariant;
  content_type: string;
  bytes: number;
  duration_ms: number | null;
  object_key: string;
  created_at: number;
}

/** What a conversation's workflow found out. */
export type WorkflowFact =
  | { kind: 'recording_stored'; recording: StoredRecording }
  | { kind: 'part_absent'; part: Part; reason: string }
  /** Nobody knows how it ended: the provider was asked and its answer is the evidence. */
  | { kind: 'lost'; evidence: string }
  /** The provider's copy is unavailable where the provider says that it lies; a source that it names later is tried. */
  | { kind: 'recording_unavailable'; variant: RecordingVariant; source: string; reason: string }
  /** The provider's record could not be had; the conversation rests on what its webhooks said. */
  | { kind: 'record_unavailable'; reason: string };

interface Received {
  /** Epoch milliseconds of the first receipt. */
  receivedAt: number;
  /** Keyed hash of the bytes, hex. */
  hash: string;
}

export type Fact = Received &
  /** `omitted`: what of the document was changed or left out. `stored`: recordings that came in the payload, once they lie in our store. */
  (
    | { source: 'webhook'; event: string; claims: Claims; omitted?: Omission[]; stored?: StoredRecording[] }
    /** `event` is `record` when the conversation's own workflow asked, else who did: `backfill`, `poll`. */
    | { source: 'record'; event: string; claims: Claims; omitted?: Omission[]; stored?: StoredRecording[] }
    | { source: 'workflow'; event: WorkflowFact['kind']; statement: WorkflowFact }
  );

/** The body of a workflow's fact, as it lies in the inbox. */
export const workflowFactOf = (body: Json): WorkflowFact => body as unknown as WorkflowFact;
