// Queries for agents. Each is restricted to the caller's clients; row-level security is the second barrier.
import { clientFilterOf, type Caller } from '../access/caller.js';
import { among, NEXT_REVISION, exactly, greaterThan, FOR_UPDATE, meets } from '../database/conditions.js';
import { AgentEntity } from '../database/entities/agent.entity.js';
import type { Transaction } from '../database/with-scope.js';

interface Page {
  clientId: string | null;
  accountId: string | null;
  after: string | null;
  limit: number;
}

const visible = (caller: Caller) => meets('client_id', among(clientFilterOf(caller)));

export const listAgents = (
  tx: Transaction,
  caller: Caller,
  { clientId, accountId, after, limit }: Page,
): Promise<AgentEntity[]> =>
  tx.manager.find(AgentEntity, {
    where: {
      ...meets('client_id', among(clientFilterOf(caller)), exactly(clientId)),
      ...meets('provider_account_id', exactly(accountId)),
      ...meets('id', greaterThan(after)),
    },
    order: { id: 'asc' },
    take: limit,
  });

export const findAgent = (
  tx: Transaction,
  caller: Caller,
  id: string,
  { lock = false } = {},
): Promise<AgentEntity | null> =>
  tx.manager.findOne(AgentEntity, { where: { ...visible(caller), id }, ...(lock && FOR_UPDATE) });

export async function insertAgent(
  tx: Transaction,
  row: Pick<AgentEntity, 'id' | 'client_id' | 'sealed' | 'version'>,
): Promise<void> {
  await tx.manager.insert(AgentEntity, row);
}

/** Returns the changed row. */
export async function updateAgent(
  tx: Transaction,
  caller: Caller,
  { id, sealed }: Pick<AgentEntity, 'id' | 'sealed'>,
): Promise<AgentEntity | undefined> {
  const where = { ...visible(caller), id };
  const { raw } = await tx.manager.update(AgentEntity, where, { sealed, ...NEXT_REVISION }, { returning: '*' });
  return (raw as AgentEntity[])[0];
}
