// A queue of workflow commands that several workers share. A worker claims commands with a short lease, in a separate
// transaction, so that it holds no locks while it calls Temporal. The commands of a crashed worker are claimed again.
import type { WorkflowCommandEntity } from '../database/entities/workflow-command.entity.js';
import type { WorkerDatabase } from '../database/database.js';
import type { Refusal } from './call-failed.js';

const LEASE_SECONDS = 30;
/** Most refused commands per claim; they do not count towards the limit for new ones. */
const MOST_REFUSED = 8;

export type ClaimedCommand = Pick<
  WorkflowCommandEntity,
  'id' | 'workflow' | 'entity_id' | 'kind' | 'traceparent' | 'attempts'
>;

/** Outcome of a claimed command: `done`, `refused`, or `released` for the next claim. */
export type Outcome = { id: string; is: 'done' | 'released' } | ({ id: string; is: 'refused' } & Refusal);

// Commits need not wait for the disk: work whose commit is lost is repeated. Index scans only: the table is empty most of the
// time, and a plan cached then would still be used for hundreds of thousands of rows (1.8 s a claim instead of 2 ms).
const SETTINGS = `set_config('synchronous_commit', 'off', true), set_config('enable_seqscan', 'off', true),
  set_config('enable_bitmapscan', 'off', true)`;
const UNHURRIED = `select ${SETTINGS}`;
// Serialises claims. Each one sees all earlier ones, so that no two workers hold commands of the same workflow.
const ALONE = `select pg_advisory_xact_lock(hashtextextended('workflow_commands', 0)), ${SETTINGS}`;

// An earlier command of the same workflow is being delivered or waits for its retry. `offset 0` keeps this an index lookup per
// row, however many rows there are.
const IS_BEHIND = `exists (
  select from workflow_commands earlier
  where earlier.entity_id = c.entity_id and earlier.workflow = c.workflow and earlier.id < c.id
    and earlier.parked_at is null and (earlier.attempts > 0 or earlier.leased_until >= now())
  offset 0)`;
const IS_FREE = `workflow = any($1::text[]) and (leased_until is null or leased_until < now()) and not ${IS_BEHIND}`;
const CLAIM = `
with next as (
  (select id from workflow_commands c where attempts = 0 and ${IS_FREE} order by id limit $2)
  union all
  (select id from workflow_commands c
   where attempts > 0 and parked_at is null and retry_at <= now() and ${IS_FREE} limit ${MOST_REFUSED})
)
update workflow_commands set leased_until = now() + make_interval(secs => ${LEASE_SECONDS})
where id in (select id from next) returning id, workflow, entity_id, kind, traceparent, attempts`;

const DONE = `
with gone as (delete from workflow_commands where id = any($1::bigint[]) returning id, workflow, entity_id)
select exists (
  select from workflow_commands later join gone using (workflow, entity_id)
  where later.id <> all($1::bigint[])) as waits`;
const RELEASE = 'update workflow_commands set leased_until = null where id = any($1::bigint[])';
const REFUSE = `
update workflow_commands set attempts = attempts + 1, error = refused.code, leased_until = null,
  retry_at = case when not refused.parks then now() + refused.retry_ms * interval '1 millisecond' end,
  parked_at = case when refused.parks then now() end
from unnest($1::bigint[], $2::text[], $3::float8[], $4::boolean[]) as refused (command, code, retry_ms, parks)
where id = refused.command`;
const UNPARK = `
update workflow_commands set attempts = 0, error = null, parked_at = null where parked_at is not null returning 1 as unparked`;

/** How long after its claim a command may still be sent, milliseconds: the call must end within the lease. */
export const DELIVER_WITHIN_MS = 20_000;

export class CommandQueue {
  constructor(private readonly database: WorkerDatabase) {}

  /**
   * Claims at most `limit` new commands of these workflow types and a few refused ones that are due, oldest first. Only one
   * worker at a time holds commands of one workflow.
   */
  async claim(workflows: readonly string[], limit: number): Promise<ClaimedCommand[]> {
    const claimed = await this.database.withScope('all', async (tx) => {
      const sent = [
        tx.query({ name: 'claim_workflow_commands_alone', text: ALONE }),
        tx.query<ClaimedCommand>({ name: 'claim_workflow_commands', text: CLAIM, values: [workflows, limit] }),
      ] as const;
      tx.commit();
      return (await Promise.all(sent))[1];
    });
    return claimed.toSorted((one, other) => Number(BigInt(one.id) - BigInt(other.id)));
  }

  /** Records outcomes; true if the workflows of the delivered commands have further commands. */
  async settle(outcomes: readonly Outcome[]): Promise<boolean> {
    const ids = (is: Outcome['is']): string[] => outcomes.filter((one) => one.is === is).map(({ id }) => id);
    const [done, released] = [ids('done'), ids('released')];
    const refused = outcomes.filter((one) => one.is === 'refused');
    return this.database.withScope('all', async (tx) => {
      const sent: Promise<{ waits?: boolean }[]>[] = [tx.query({ name: 'unhurried', text: UNHURRIED })];
      if (done.length > 0) sent.push(tx.query({ name: 'commands_done', text: DONE, values: [done] }));
      if (released.length > 0) sent.push(tx.query({ name: 'commands_released', text: RELEASE, values: [released] }));
      if (refused.length > 0)
        sent.push(tx.query({ name: 'commands_refused', text: REFUSE, values: columnsOf(refused) }));
      tx.commit();
      return (await Promise.all(sent)).flat().some(({ waits }) => waits === true);
    });
  }
}

/** Makes parked commands new again; resolves with their number. */
export async function unparkCommands(database: WorkerDatabase): Promise<number> {
  return (await database.once('all', { text: UNPARK })).length;
}

const columnsOf = (refused: readonly (Refusal & { id: string })[]): unknown[] => [
  refused.map(({ id }) => id),
  refused.map(({ code }) => code),
  refused.map(({ retryInMs }) => retryInMs),
  refused.map(({ parks }) => parks),
];
