// Persists simulated workspaces across restarts: settings in one file, records as JSON lines that are compacted at start.
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Records, Stored } from './records.js';
import type { Notes } from './notes.js';

const settingsSchema = z.object({
  apiKey: z.string(),
  baseUrl: z.string(),
  seed: z.string(),
  run: z.number(),
  announcedTo: z.string().nullable(),
  announcedSinceMs: z.number().optional(),
  webhookSecret: z.string().optional(),
});

/**
 * What a restart needs besides the records. `run` counts starts; `announcedTo` is the webhook URL of the last run, and
 * since when.
 */
export type SavedSettings = z.infer<typeof settingsSchema>;

const line = z.union([
  z.object({ head: z.record(z.string(), z.unknown()), notes: z.unknown(), bulk: z.string().optional() }),
  z.object({ removed: z.string() }),
]);

const render = (stored: Stored<object>): string =>
  JSON.stringify({ head: stored.head, notes: stored.notes, bulk: stored.bulk?.toString('base64') });

/** The last line may be incomplete if the process was killed: everything from the first invalid line on is ignored. */
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

/** A folder that persists state; each provider has its own files in it. */
export class StateFolder {
  constructor(
    private readonly folder: string,
    private readonly provider: string,
  ) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** The settings of the last start; undefined in a new folder. Throws when the file is damaged. */
  settings(): SavedSettings | undefined {
    const file = this.fileOf('json');
    if (!existsSync(file)) return undefined;
    const saved = settingsSchema.safeParse(parseOrUndefined(readFileSync(file, 'utf8')));
    if (!saved.success) throw new Error(`${file} is damaged: remove the folder, or choose another one`);
    return saved.data;
  }

  saveSettings(settings: SavedSettings): void {
    this.replace(this.fileOf('json'), JSON.stringify(settings));
  }

  /**
   * Loads records from their file, rewrites their links from the old base URL to the new one, and saves changes from now
   * on. `name` distinguishes the kinds of records of one provider.
   */
  attach<T extends object, N extends Notes>(
    records: Records<T, N>,
    name: string,
    links: { from: string | undefined; to: string },
  ): void {
    const file = this.fileOf(`${name}.jsonl`);
    for (const entry of existsSync(file) ? readLines(file) : []) {
      if ('removed' in entry) records.remove(entry.removed);
      else {
        const text = JSON.stringify(entry);
        const moved = JSON.parse(links.from === undefined ? text : text.replaceAll(links.from, links.to)) as {
          head: T;
          notes: N;
        };
        const bulk = entry.bulk === undefined ? undefined : Buffer.from(entry.bulk, 'base64');
        records.restore({ head: moved.head, notes: moved.notes, bulk });
      }
    }
    this.replace(file, Array.from(records.packed(), (stored) => `${render(stored)}\n`).join(''));
    records.onChange((id, stored) => {
      appendFileSync(file, `${stored ? render(stored) : JSON.stringify({ removed: id })}\n`);
    });
  }

  private fileOf(rest: string): string {
    return join(this.folder, `${this.provider}.${rest}`);
  }

  private replace(file: string, text: string): void {
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}
