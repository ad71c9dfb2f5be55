// What the index covers, and the progress of a rebuild. It is stored in the search database, so that a new one counts as empty.
import { Injectable } from '@nestjs/common';
import type { SearchStateEntity } from '../database/search/entities/search-state.entity.js';
import { SearchDatabase } from '../database/search/search-database.js';

export type SearchStateRow = Pick<
  SearchStateEntity,
  'complete' | 'indexed_until' | 'rebuilding' | 'rebuild_written' | 'rebuild_total'
>;

/** The right to run the next step of a rebuild. */
export interface RebuildLease {
  /** Fencing token. */
  version: number;
  /** The last conversation written; null: none yet. */
  after: string | null;
  total: number | null;
}

/** Result of a step. */
export interface RebuildAdvance {
  /** Null: this was the last step. */
  after: string | null;
  written: number;
  total: number | null;
}

/** Longest delay of a rebuild by a crashed worker. */
const LEASE_SECONDS = 60;

const READ = 'select complete, indexed_until, rebuilding, rebuild_written, rebuild_total from search_state';
const BEGIN = `
update search_state set generation = generation + 1, complete = false, indexed_until = null, rebuilding = true,
  rebuild_started_at = now(), rebuild_after = null, rebuild_written = 0, rebuild_total = null,
  rebuild_version = rebuild_version + 1, rebuild_leased_until = null
where not rebuilding and ($1 or not complete) returning generation`;
const LEASE = `
update search_state set rebuild_version = rebuild_version + 1,
  rebuild_leased_until = now() + make_interval(secs => ${LEASE_SECONDS})
where rebuilding and (rebuild_leased_until is null or rebuild_leased_until <= now())
returning rebuild_version as version, rebuild_after as after, rebuild_total as total`;
// Ids contain the time at which their conversation was first seen.
const ADVANCE = `
update search_state set rebuild_leased_until = null, rebuild_written = rebuild_written + $3, rebuild_total = $4,
  rebuild_after = $2::uuid, rebuilding = $2 is not null, complete = $2 is null,
  indexed_until = uuid_extract_timestamp($2::uuid)
where rebuilding and rebuild_version = $1 returning id`;
const BEHIND = `
update search_state set indexed_until = $1 where complete and indexed_until is distinct from $1`;

/** Every method throws `search_unavailable`. */
@Injectable()
export class SearchState {
  constructor(private readonly database: SearchDatabase) {}

  async read(): Promise<SearchStateRow> {
    const [row] = await this.database.once<SearchStateRow>('all', { name: 'state_read', text: READ });
    if (row === undefined) throw new Error('search_state has no row');
    return row;
  }

  /** Starts a rebuild; with `always`, also of a complete index. False: one is under way or not needed. */
  async begin({ always }: { always: boolean }): Promise<boolean> {
    const rows = await this.database.once('all', { name: 'state_begin', text: BEGIN, values: [always] });
    return rows.length > 0;
  }

  /** Null: no rebuild is under way, or another worker runs the next step. */
  async lease(): Promise<RebuildLease | null> {
    const [lease] = await this.database.once<RebuildLease & Record<string, unknown>>('all', {
      name: 'state_lease',
      text: LEASE,
    });
    return lease ?? null;
  }

  /** Records the result of a step. False: another worker took over meanwhile and repeats it. */
  async advance({ version }: RebuildLease, { after, written, total }: RebuildAdvance): Promise<boolean> {
    const values = [version, after, written, total];
    const rows = await this.database.once('all', { name: 'state_advance', text: ADVANCE, values });
    return rows.length > 0;
  }

  /** Records that the index covers changes before `until` (null: all). */
  async coversUntil(until: Date | null): Promise<void> {
    await this.database.once('all', { name: 'state_covers', text: BEHIND, values: [until] });
  }
}
