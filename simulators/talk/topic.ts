// The topic of a call.
import type { Line } from './lines.js';

/** A topic of calls: the opening, possible exchanges (in this order, not all of them), the result. */
export interface Topic {
  key: string;
  subject: string;
  outbound: number;
  opening: Line[];
  exchanges: Line[][];
  department: string;
  /** The customer's request, in English, for the summary of an unfinished call. */
  matter: string;
  /** The result, when all exchanges took place. */
  summary: string;
}
