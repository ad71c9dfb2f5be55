// Keeps the simulated workspace over restarts: settings in one file, calls as JSON lines that are compacted at start.
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { RetellCall } from './call.js';
import type { Calls, StoredCall } from './calls.js';

const settingsSchema = z.object({
  apiKey: z.string(),
  baseUrl: z.string(),
  seed: z.string(),
  run: z.number(),
  announcedTo: z.string().nullable(),
});

/** What a restart must know besides the calls. `run` counts starts; `announcedTo` is the webhook URL of the last one. */
export type SavedSettings = z.infer<typeof settingsSchema>;

const head = z.custom<RetellCall>((value) => typeof value === 'object' && value !== null && 'call_id' in value);
const notes = z.object({
  createdMs: z.number(),
  seed: z.string(),
  analysisFromMs: z.number().optional(),
  customAttributes: z.record(z.string(), z.unknown()).optional(),
});
const line = z.union([
  z.object({ head, notes, transcripts: z.string().optional() }),
  z.object({ removed: z.string() }),
]);

const render = (stored: StoredCall): string =>
  JSON.stringify({ head: stored.head, notes: stored.notes, transcripts: stored.transcripts?.toString('base64') });

/** The last line may be half-written when the process was killed: everything from the first bad line on is left out. */
function readLines(file: string): z.infer<typeof line>[] {
  const lines: z.infer<typeof line>[] = [];
  for (const text of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const parsed = line.safeParse(parseOrUndefined(text));
    if (!parsed.success) break;
    lines.push(parsed.data);
  }
  return lines;
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A folder that outlives the process. */
export class StateFolder {
  private readonly settingsFile: string;
  private readonly callsFile: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.settingsFile = join(folder, 'retell.json');
    this.callsFile = join(folder, 'retell.jsonl');
  }

  /** The settings of the last start; undefined in a new folder. Throws when the file is damaged. */
  settings(): SavedSettings | undefined {
    if (!existsSync(this.settingsFile)) return undefined;
    return settingsSchema.parse(JSON.parse(readFileSync(this.settingsFile, 'utf8')));
  }

  saveSettings(settings: SavedSettings): void {
    writeFileSync(`${this.settingsFile}.new`, JSON.stringify(settings), { mode: 0o600 });
    renameSync(`${this.settingsFile}.new`, this.settingsFile);
  }

  /** Fills the calls from the file, moves their links from one base URL to another, and records changes from now on. */
  attach(calls: Calls, fromUrl: string | undefined, toUrl: string): void {
    for (const entry of existsSync(this.callsFile) ? readLines(this.callsFile) : []) {
      if ('removed' in entry) calls.remove(entry.removed);
      else {
        const text = JSON.stringify(entry.head);
        const moved = head.parse(JSON.parse(fromUrl === undefined ? text : text.replaceAll(fromUrl, toUrl)));
        const transcripts = entry.transcripts === undefined ? undefined : Buffer.from(entry.transcripts, 'base64');
        calls.restore({ head: moved, notes: entry.notes, transcripts });
      }
    }
    writeFileSync(`${this.callsFile}.new`, Array.from(calls.packed(), (stored) => `${render(stored)}\n`).join(''), {
      mode: 0o600,
    });
    renameSync(`${this.callsFile}.new`, this.callsFile);
    calls.onChange((callId, stored) => {
      appendFileSync(this.callsFile, `${stored ? render(stored) : JSON.stringify({ removed: callId })}\n`);
    });
  }
}
