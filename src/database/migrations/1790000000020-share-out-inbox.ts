// The inbox is read fairly and by keyset: by lane and account, in the order in which facts fall due.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly } from './support.js';

export class ShareOutInbox1790000000020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- plain: applied together; large: one by one; audio: its recording must be stored before it is applied.
      alter table inbox add column lane text not null default 'plain'
        constraint inbox_lane_check check (lane in ('plain', 'large', 'audio'));
      -- How often it was put off for reasons that are not its own: the pause grows with it.
      alter table inbox add column postponements integer not null default 0;
      update inbox set lane = 'large' where octet_length(sealed) > 262144;
      create index inbox_due_idx on inbox (lane, provider_account_id, (coalesce(retry_at, received_at)), id)
        where state = 'pending';
      -- Of every state: who asks whether anything of a conversation is left does not care which.
      create index inbox_conversation_idx on inbox (provider_account_id, identity_hash, received_at);
      drop index inbox_oldest_idx;
      drop index inbox_pending_idx;
    `);
  }

  down = forwardOnly;
}
