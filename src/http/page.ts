// Pages of administration lists: in the order of making, which is the order of the ids (UUIDv7).
import { list, type List } from './api-response.js';
import { fingerprintOf, type Cursors } from './cursor.js';

interface Question {
  limit: number;
  cursor?: string | undefined;
  /** Everything that decides which rows there are: list name and filters. */
  filter: unknown;
}

/**
 * One page. `read` gives at most `limit` rows with an id greater than `after` (null: from the beginning), ordered by id;
 * `render` makes an answer of a row.
 */
export async function pageById<Row extends { id: string }, Item>(
  cursors: Cursors,
  { limit, cursor, filter }: Question,
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
