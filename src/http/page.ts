// Pages of administration lists, oldest first: ids are UUIDv7, so they sort by creation time.
import { list, type List } from './api-response.js';
import { fingerprintOf, type Cursors } from './cursor.js';

interface PageQuery {
  limit: number;
  cursor?: string | undefined;
  /** List name and filters; a cursor is only valid for the same value. */
  filter: unknown;
}

/**
 * Returns one page. `read` returns at most `limit` rows with an id greater than `after` (null: from the start), ordered by
 * id; `render` converts a row to its API object.
 */
export async function pageById<Row extends { id: string }, Item>(
  cursors: Cursors,
  { limit, cursor, filter }: PageQuery,
  {
    read,
    render,
  }: { read: (after: string | null, limit: number) => Promise<Row[]>; render: (row: Row) => Promise<Item> },
): Promise<List<Item>> {
  const fingerprint = fingerprintOf(filter);
  const [after] = cursor === undefined ? [null] : await cursors.decode(cursor, fingerprint);
  const rows = await read(after === undefined || after === null ? null : String(after), limit + 1);
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const next = last === undefined ? null : await cursors.encode([last.id], fingerprint);
  return list(await Promise.all(page.map(render)), next);
}
