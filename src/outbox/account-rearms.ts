// Live conversations of an account whose `silence` or `ask_every` has changed are woken, so that their workflows look again
// and reset their timers: a batch at a time, in a worker and not in the request that changed the account.
import { Injectable } from '@nestjs/common';
import { CONVERSATION } from '../../workflows/conversation.names.js';
import { Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import { WorkerDatabase } from '../database/database.js';
import type { AccountRearmEntity } from '../database/entities/account-rearm.entity.js';
import { Notifier } from '../database/notifier.js';
import type { Transaction } from '../database/with-scope.js';

const POLL_MS = 2_000;
/** Of each account in a round: conversations. */
const BATCH = 500;
/** Of a round: accounts. The next round goes on behind them. */
const MOST_ACCOUNTS = 16;
/** Workers cache an account for two seconds (provider-accounts.ts): whoever is woken earlier would see the old setting. */
const AFTER_SECONDS = 3;

const NEXT = `
select id, provider_account_id, position from account_rearms
where created_at < now() - make_interval(secs => ${AFTER_SECONDS}) and id > $1 order by id limit 1 for update skip locked`;
// 'late' signals a workflow that runs: a live one looks again, and one that settles meanwhile looks once more.
const WAKE = `
with woken as (
  insert into workflow_commands (workflow, entity_id, kind)
  select '${CONVERSATION}', id, 'late' from conversations
  where provider_account_id = $1 and record_state = 'open' and ($2::uuid is null or id > $2::uuid)
  order by id limit ${BATCH} returning entity_id)
select entity_id as id from woken order by entity_id desc`;
const GO_ON = 'update account_rearms set position = $2 where id = $1';
const DONE = 'delete from account_rearms where id = $1';

type Rearm = Pick<AccountRearmEntity, 'id' | 'provider_account_id' | 'position'>;

@Injectable()
export class AccountRearms extends LoopedWork {
  /** Where the next round begins. */
  private after: string | null = null;

  constructor(
    private readonly database: WorkerDatabase,
    private readonly notifier: Notifier,
    private readonly log: Log,
  ) {
    super(1, POLL_MS);
  }

  /** A batch of each account, in a transaction of its own: one that fails keeps back no other. */
  protected override async runRound(): Promise<boolean> {
    for (let count = 0; count < MOST_ACCOUNTS && !this.isStopped; count += 1) {
      this.after = await this.step(this.after ?? '0');
      if (this.after === null) break;
    }
    return false;
  }

  /** Wakes a batch of the first account behind `after`; where the next one begins, null behind the last. */
  private async step(after: string): Promise<string | null> {
    let next: string | null = null;
    try {
      await this.database.withScope('all', async (tx) => {
        const [rearm] = await tx.query<Rearm>({ text: NEXT, values: [after] });
        if (rearm === undefined) return;
        next = rearm.id;
        await wakeBatch(tx, rearm);
      });
      if (next !== null) this.notifier.notify('colloquy_workflow_commands');
    } catch (error) {
      this.log.error('waking the live conversations of an account failed; trying again', {}, error);
    }
    return next;
  }
}

async function wakeBatch(tx: Transaction, { id, provider_account_id: account, position }: Rearm): Promise<void> {
  const woken = await tx.query<{ id: string }>({ name: 'rearm', text: WAKE, values: [account, position] });
  if (woken.length < BATCH) await tx.query({ text: DONE, values: [id] });
  else await tx.query({ text: GO_ON, values: [id, woken[0]?.id] });
}
