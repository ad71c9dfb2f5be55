// Queries for clients. Each is restricted to the caller's clients; row-level security is the second barrier.
import { clientFilterOf, type Caller } from '../access/caller.js';
import { among, NEXT_REVISION, exactly, greaterThan, FOR_UPDATE, meets } from '../database/conditions.js';
import { ClientEntity } from '../database/entities/client.entity.js';
import type { Transaction } from '../database/with-scope.js';

export const listClients = (
  tx: Transaction,
  caller: Caller,
  { after, limit }: { after: string | null; limit: number },
): Promise<ClientEntity[]> =>
  tx.manager.find(ClientEntity, {
    where: meets('id', among(clientFilterOf(caller)), greaterThan(after)),
    order: { id: 'asc' },
    take: limit,
  });

export const findClient = (
  tx: Transaction,
  caller: Caller,
  id: string,
  { lock = false } = {},
): Promise<ClientEntity | null> =>
  tx.manager.findOne(ClientEntity, {
    where: meets('id', among(clientFilterOf(caller)), exactly(id)),
    ...(lock && FOR_UPDATE),
  });

export async function insertClient(
  tx: Transaction,
  row: Pick<ClientEntity, 'id' | 'sealed' | 'default_region'>,
): Promise<void> {
  await tx.manager.insert(ClientEntity, row);
}

/** Returns the changed row. */
export async function updateClient(
  tx: Transaction,
  caller: Caller,
  { id, ...change }: Pick<ClientEntity, 'id' | 'sealed' | 'default_region'>,
): Promise<ClientEntity | undefined> {
  const where = meets('id', among(clientFilterOf(caller)), exactly(id));
  const { raw } = await tx.manager.update(ClientEntity, where, { ...change, ...NEXT_REVISION }, { returning: '*' });
  return (raw as ClientEntity[])[0];
}
