// Opens the sealed header of a conversation's row.
import { DATA_CLASSES, type DataClass } from '../common/data-class.js';
import { joinHeader, type HeaderParts } from '../reducer/header.js';
import type { Header } from '../reducer/record.js';
import type { ConversationKeys } from '../vault/conversation-keys.js';
import { openParts, type SealedParts } from './sealed-parts.js';

/** Columns of `conversations`. */
interface HeaderColumns {
  revision: number;
  header: Buffer | null;
  transcript_header: Buffer | null;
  analysis_header: Buffer | null;
}

const partsOf = ({
  header: record,
  transcript_header: transcript,
  analysis_header: analysis,
}: HeaderColumns): SealedParts => ({
  record,
  transcript,
  audio: null,
  analysis,
});

/** Classes whose keys {@link openHeader} needs for these rows: only those of parts that they have. */
export const headerClasses = (rows: HeaderColumns[]): DataClass[] =>
  DATA_CLASSES.filter((dataClass) => rows.some((row) => partsOf(row)[dataClass] !== null));

/** The header; fields of erased parts are empty. Throws KeyDestroyed if the whole conversation was erased. */
export function openHeader(row: HeaderColumns, keys: ConversationKeys): Header {
  if (row.header === null) throw new Error('the statement did not read the header');
  keys.get('record');
  return joinHeader(openParts(keys, { kind: 'header', revision: row.revision }, partsOf(row)) as HeaderParts);
}
