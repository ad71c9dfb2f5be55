// The recording of a conversation. No file is stored: the bytes are generated from the document.
import { mp3Bytes, speechMp3 } from '../mp3.js';
import type { Conversation } from './conversation.js';

const SECONDS_A_CHARACTER = 0.068;

/** Size in bytes of a conversation's recording. */
export const recordingBytes = ({ has_audio: hasAudio, metadata }: Readonly<Conversation>): number =>
  hasAudio ? mp3Bytes(metadata.call_duration_secs * 1000) : 0;

/** The conversation as MP3: as long as its duration, with voices where its transcript has words. */
export function recordingOf(conversation: Conversation): Buffer {
  const spoken = conversation.transcript.filter((item) => item.message !== null && item.source_medium !== 'dtmf');
  const durationMs = conversation.metadata.call_duration_secs * 1000;
  const turns = spoken.map((item, index) => {
    const startMs = item.time_in_call_secs * 1000;
    const nextMs = (spoken[index + 1]?.time_in_call_secs ?? Infinity) * 1000;
    const lengthMs = (item.message ?? '').length * SECONDS_A_CHARACTER * 1000;
    const speaker = item.role === 'agent' ? (item.agent_metadata?.agent_id ?? 'agent') : item.role;
    return { speaker, startMs, endMs: Math.min(startMs + lengthMs, nextMs, durationMs) };
  });
  return speechMp3({ seed: conversation.conversation_id, durationMs, turns });
}
