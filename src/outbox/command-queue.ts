// The commands as a queue that several workers share. A worker claims what it delivers for some seconds, in a transaction of
// its own, so that nothing is locked while it calls Temporal; what a worker leaves behind when it dies is claimed again.
import type { WorkflowCommandEntity } from '../database/entities/workflow-command.entity.js';
import type { WorkerDatabase } from '../database/database.js';
import type { Refusal } from './call-failed.js';

/** A claim ends after this time: nothing may be begun with it later. */
const LEASE_SECONDS = 30;
/** Of a claim: commands that were refused before do not take the places of new ones. */
const MOST_REFUSED = 8;

export type ClaimedCommand = Pick<
  WorkflowCommandEntity,
  'id' | 'workflow' | 'entity_id' | 'kind' | 'traceparent' | 'attempts'
>;

/** What became of a claimed command: it is `done`, was refused, or waits for whoever claims it next (`released`). */
export type Outcome = { id: string; is: 'done' | 'released' } | ({ id: string; is: 'refused' } & Refusal);

// What the loss of a commit would undo is done again: nobody waits for the disk. By index only: the table is empty most of the
// time, and a plan made then would still be used when hundreds of thousands of commands wait (1.8 s a claim instead of 2 ms).
const SETTINGS = `set_config('synchronous_commit', 'off', true), set_config('enable_seqscan', 'off', true),
  set_config('enable_bitmapscan', 'off', true)`;
const UNHURRIED = `select ${SETTINGS}`;
// One claim after the other, each of which sees all earlier ones: so no two workers have commands of one workflow.
const ALONE = `select pg_advisory_xact_lock(hashtextextended('workflow_commands', 0)), ${SETTINGS}`;

// Behind an earlier command of its workflow that somebody delivers, or that waits to be tried again. `offset 0`: asked for each
// row by index, also when many wait.
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

/** How long after its claim a command may still be handed to Temporal, milliseconds: the call must end within the lease. */
export const DELIVER_WITHIN_MS = 20_000;

export class CommandQueue {
  constructor(private readonly database: WorkerDatabase) {}

  /**
   * Claims new commands for these workflows, at most `limit`, and a few refused ones that are due; in the order of their
   * writing. Of one workflow, a single worker has commands at a time.
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

  /** Records outcomes; true when further commands of the workflows that are done with wait. */
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

/** Parked commands are tried again, as if they were new; how many. */
export async function unparkCommands(database: WorkerDatabase): Promise<number> {
  return (await database.once('all', { text: UNPARK })).length;
}

const columnsOf = (refused: readonly (Refusal & { id: string })[]): unknown[] => [
  refused.map(({ id }) => id),
  refused.map(({ code }) => code),
  refused.map(({ retryInMs }) => retryInMs),
  refused.map(({ parks }) => parks),
];
