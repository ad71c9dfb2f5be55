// What calls are about.
import type { Line } from './lines.js';

/** A subject of calls: how it opens, what may come up (in this order, not all of it), what comes of it. */
export interface Topic {
  key: string;
  subject: string;
  outbound: number;
  opening: Line[];
  exchanges: Line[][];
  department: string;
  /** What it is about, in English, for the summary of one that got nowhere. */
  matter: string;
  /** What came of it when all exchanges were had. */
  summary: string;
}
