// What calls are about.
import type { Line } from './lines.js';

/** A subject of calls: who answers, how it opens, what may come up (in this order, not all of it), what comes of it. */
export interface Topic {
  key: string;
  agentId: string;
  subject: string;
  outbound: number;
  opening: Line[];
  exchanges: Line[][];
  department: string;
  summary: string;
}
