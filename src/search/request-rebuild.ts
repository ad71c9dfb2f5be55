// `colloquy search rebuild`: requests a rebuild, which the workers carry out, and shows their progress.
import { setTimeout as sleep } from 'node:timers/promises';
import type { SearchState, SearchStateRow } from './search-state.js';

const LOOK_MS = 500;
/** After this time without progress, probably no worker is running. */
const PATIENCE_MS = 20_000;

const progressOf = ({ rebuild_written: written, rebuild_total: total }: SearchStateRow): string =>
  total === null ? 'not begun yet' : `${written} of about ${Math.max(total, written)} conversations`;

/** Starts a rebuild or joins the one under way; resolves when it is done. Calls `say` with a line whenever there is progress. */
export async function requestRebuild(state: SearchState, say: (line: string) => void): Promise<void> {
  const isNew = await state.begin({ always: true });
  say(`${isNew ? 'rebuild begun' : 'a rebuild is under way'}: the workers do it while everything else goes on`);
  let reported = '';
  let reportedAt = performance.now();
  for (;;) {
    const row = await state.read();
    const progress = progressOf(row);
    if (!row.rebuilding) return say(`the search index is complete: ${row.rebuild_written} conversations`);
    if (progress !== reported) {
      say(progress);
      [reported, reportedAt] = [progress, performance.now()];
    } else if (performance.now() - reportedAt > PATIENCE_MS) {
      say('no progress: is a worker running? The rebuild continues as soon as one is, even without this command');
      reportedAt = performance.now();
    }
    await sleep(LOOK_MS);
  }
}
