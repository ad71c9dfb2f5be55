// Packs rows with sealed columns into two parameters: $1 the rows as JSON, $2 all sealed bytes as one binary parameter. In JSON
// or an array the bytes would be text, twice as long. Pure.

export interface RowToWrite {
  /** By column; times as epoch milliseconds. */
  plain: Record<string, unknown>;
  /** By column. */
  sealed: Record<string, Buffer | null>;
}

/** The two parameters. The JSON has the offset (from 1) and the length of each sealed column. */
export function packedRows(rows: readonly RowToWrite[]): [json: string, bytes: Buffer] {
  const pieces: Buffer[] = [];
  let next = 1;
  const placed = rows.map(({ plain, sealed }) => {
    const row = { ...plain };
    for (const [column, bytes] of Object.entries(sealed)) {
      if (bytes === null) continue;
      row[`${column}_from`] = next;
      row[`${column}_bytes`] = bytes.length;
      next += bytes.length;
      pieces.push(bytes);
    }
    return row;
  });
  return [JSON.stringify(placed), Buffer.concat(pieces)];
}

/** For `json_to_recordset($1)`: offset and length of these columns. */
export const packedTypes = (columns: readonly string[]): string =>
  columns.map((column) => `${column}_from integer, ${column}_bytes integer`).join(', ');

/** For the select list: the bytes; null if a row has none. */
export const unpacked = (columns: readonly string[]): string =>
  columns.map((column) => `substr($2::bytea, ${column}_from, ${column}_bytes)`).join(', ');

/** For `on conflict do update set`. */
export const replaced = (columns: readonly string[]): string =>
  columns.map((column) => `${column} = excluded.${column}`).join(', ');
