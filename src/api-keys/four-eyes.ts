// COLLOQUY_FOUR_EYES: a key with content or compliance rights does not work until a second admin has approved it.
import type { Transaction } from '../database/with-scope.js';
import { excessOf, isSensitive, type Grant } from './grant.js';

/** Whether a key that changes from `before` (null: a new key) to `after` needs the approval of a second admin. */
export function awaitsApproval(
  isOn: boolean,
  before: (Grant & { awaiting_approval: boolean }) | null,
  after: Grant,
): boolean {
  if (!isSensitive(after)) return false;
  // A key that awaits approval keeps waiting, even if the setting was switched off since.
  if (before?.awaiting_approval === true) return true;
  return isOn && (before === null || excessOf(after, before) !== null);
}

/**
 * The keys that one person may know: a key and, transitively, its creators and proposers, who saw its secret. The link ends
 * once somebody else has approved the key and its holder has rotated it since. Two keys whose sets overlap may belong to one
 * person.
 */
const OVERLAP = `
with recursive eyes (side, id) as (
  select side, id from (values ('approver', $1::uuid), ('proposer', $2::uuid)) as two (side, id)
  union
  select eyes.side, maker.id from eyes
  join api_keys as made on made.id = eyes.id
  cross join lateral (values (made.created_by), (made.proposed_by)) as maker (id)
  where maker.id is not null and (made.approved_by is null or not exists (
    select from retired_api_key_secrets where api_key_id = made.id and retired_at > made.approved_at))
)
select 1 as common from eyes as a join eyes as b using (id) where a.side = 'approver' and b.side = 'proposer' limit 1`;

/** Whether two keys (uuids) belong to different people, as far as keys can tell. */
export async function areTwoPeople(tx: Transaction, approver: string, proposer: string): Promise<boolean> {
  return (await tx.query({ text: OVERLAP, values: [approver, proposer] })).length === 0;
}
