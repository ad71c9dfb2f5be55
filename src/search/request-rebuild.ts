// "colloquy search rebuild": asks for a rebuild, which the workers do, and shows how far they are.
import { setTimeout as sleep } from 'node:timers/promises';
import type { SearchState, SearchStateRow } from './search-state.js';

const LOOK_MS = 500;
/** Without progress for so long, nobody seems to be at it. */
const PATIENCE_MS = 20_000;

const progressOf = ({ rebuild_written: written, rebuild_total: total }: SearchStateRow): string =>
  total === null ? 'not begun yet' : `${written} of about ${Math.max(total, written)} conversations`;

/** Begins a rebuild, or joins the one under way; resolves when it is done. `say` gets a line whenever there is progress. */
export async function requestRebuild(state: SearchState, say: (line: string) => void): Promise<void> {
  const isNew = await state.begin({ always: true });
  say(`${isNew ? 'rebuild begun' : 'a rebuild is under way'}: the workers do it while everything else goes on`);
  let told = '';
  let toldAt = performance.now();
  for (;;) {
    const row = await state.read();
    const progress = progressOf(row);
    if (!row.rebuilding) return say(`the search index is complete: ${row.rebuild_written} conversations`);
    if (progress !== told) {
      say(progress);
      [told, toldAt] = [progress, performance.now()];
    } else if (performance.now() - toldAt > PATIENCE_MS) {
      say('no progress: is a worker running? It goes on as soon as there is one, whether this command runs or not');
      toldAt = performance.now();
    }
    await sleep(LOOK_MS);
  }
}
