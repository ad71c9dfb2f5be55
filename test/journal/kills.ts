// Kills connections of a database at seeded random moments, active ones before idle ones.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { Random } from '../../simulators/random.js';

const KILL = `
select application_name as name, state, pg_terminate_backend(pid) as killed from pg_stat_activity
where datname = current_database() and application_name like $1 order by state = 'idle', random() limit 1`;

export interface KillPlan {
  seed: string;
  kills: number;
  /** Milliseconds between two kills: from, to. */
  apart: [number, number];
  /** Application names to kill in turn, as LIKE patterns. */
  turns: string[];
}

/** Resolves with application and state of each killed connection. */
export async function killConnections(sql: Pool, plan: KillPlan): Promise<{ name: string; state: string }[]> {
  const random = new Random(plan.seed);
  const killed: { name: string; state: string }[] = [];
  while (killed.length < plan.kills) {
    await sleep(random.between(...plan.apart));
    const { rows } = await sql.query<{ name: string; state: string }>(KILL, [
      plan.turns[killed.length % plan.turns.length],
    ]);
    killed.push(...rows);
  }
  return killed;
}
