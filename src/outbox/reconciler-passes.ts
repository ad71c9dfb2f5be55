// Progress of the reconciler. It is stored in PostgreSQL, so that a pass continues after a restart or a failure.
import { randomUUID } from 'node:crypto';
import type { ReconcilerPassEntity } from '../database/entities/reconciler.entity.js';
import type { WorkerDatabase } from '../database/database.js';

/** Another worker takes over from a crashed one after this time, or from one with a longer step, which is harmless. */
const LEASE_SECONDS = 10;

export type Pass = Pick<ReconcilerPassEntity, 'workflow' | 'position' | 'checked' | 'started' | 'failed'>;

/** One step of a pass; `position`: the last entity it checked. */
export type Step = Omit<Pass, 'workflow'>;

const ASK = `
insert into reconciler_passes (workflow) select unnest($1::text[])
on conflict (workflow) do update set asked_at = now(), begun_at = case when not $2::boolean then reconciler_passes.begun_at end`;
const IS_UNDER_WAY = 'begun_at is not null and ended_at is null';
const IS_DUE = `workflow = any($1::text[]) and (begun_at is null or ended_at is not null and
  (asked_at > begun_at or ended_at < now() - interval '1 hour'))`;
// No worker takes the lease when there is nothing to do.
const LEAD = `
update reconciler_lease set holder = $2, leased_until = now() + make_interval(secs => ${LEASE_SECONDS})
where (holder = $2 or leased_until < now())
  and exists (select from reconciler_passes where workflow = any($1::text[]) and (${IS_UNDER_WAY} or ${IS_DUE}))
returning 1 as leads`;
const RESIGN = "update reconciler_lease set leased_until = '-infinity' where holder = $1";
const BEGIN = `
update reconciler_passes set begun_at = clock_timestamp(), ended_at = null, position = null, checked = 0, started = 0, failed = 0
where ${IS_DUE}`;
const COLUMNS = 'workflow, position, checked, started, failed';
const UNDER_WAY = `select ${COLUMNS} from reconciler_passes where workflow = any($1::text[]) and ${IS_UNDER_WAY} order by workflow`;
const IS_MINE = 'exists (select from reconciler_lease where holder = $2)';
// Only for the worker that holds the lease, and only from the position it read: a restarted pass keeps its new position.
const ADVANCE = `
update reconciler_passes set position = $4, checked = checked + $5, started = started + $6, failed = failed + $7
where workflow = $1 and position is not distinct from $3::uuid and ${IS_UNDER_WAY} and ${IS_MINE}`;
const END = `
update reconciler_passes set ended_at = now()
where workflow = $1 and position is not distinct from $3::uuid and ${IS_UNDER_WAY} and ${IS_MINE} returning 1 as ended`;

export class ReconcilerPasses {
  private readonly holder = randomUUID();
  private leads = false;

  constructor(
    private readonly database: WorkerDatabase,
    private readonly workflows: readonly string[],
  ) {}

  /** Requests a pass of every kind, after the one under way or, with `again`, instead of it. */
  async ask({ again }: { again: boolean }): Promise<void> {
    await this.database.once('all', { text: ASK, values: [this.workflows, again] });
  }

  /** The passes that this worker continues; none if another worker holds the lease or nothing is due. */
  async underWay(): Promise<Pass[]> {
    const leads = await this.database.once('all', { text: LEAD, values: [this.workflows, this.holder] });
    this.leads ||= leads.length > 0;
    if (leads.length === 0) return [];
    return this.database.withScope('all', async (tx) => {
      await tx.query({ text: BEGIN, values: [this.workflows] });
      return tx.query<Pass>({ text: UNDER_WAY, values: [this.workflows] });
    });
  }

  /** Records a step, unless another worker has taken over. */
  async advance({ workflow, position: from }: Pass, { position, checked, started, failed }: Step): Promise<void> {
    const values = [workflow, this.holder, from, position, checked, started, failed];
    await this.database.once('all', { text: ADVANCE, values });
  }

  /** Ends a complete pass; false if it was restarted meanwhile or another worker took over. */
  async end({ workflow, position }: Pass): Promise<boolean> {
    const values = [workflow, this.holder, position];
    return (await this.database.once('all', { text: END, values })).length > 0;
  }

  /** Gives up the lease, so that another worker can take over at once. */
  async resign(): Promise<void> {
    if (this.leads) await this.database.once('all', { text: RESIGN, values: [this.holder] });
  }
}
