// Kills the parts of a deployment in turn, at moments that a seed decides.
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../simulators/random.js';
import { PARTS, type Part, type Deployment } from './deployment.js';

export interface CrashPlan {
  seed: string;
  /** Minimum number of kills of each part. */
  rounds: number;
  /** Milliseconds between two kills, and that a part stays down: from, to. */
  apart: [number, number];
  away: [number, number];
}

/** Continues until `isOver` and all rounds are done; resolves with the number of kills. */
export async function crashInTurn(deployment: Deployment, plan: CrashPlan, isOver: () => boolean): Promise<number> {
  const random = new Random(`${plan.seed} crashes`);
  let kills = 0;
  for (let round = 0; round < plan.rounds || !isOver(); round += 1) {
    for (const part of shuffled(random)) {
      await sleep(random.between(...plan.apart));
      await deployment.kill(part);
      kills += 1;
      await sleep(random.between(...plan.away));
      await deployment.start(part);
    }
  }
  return kills;
}

function shuffled(random: Random): Part[] {
  const left: Part[] = [...PARTS];
  return PARTS.map(() => {
    const [taken = 'worker'] = left.splice(random.integer(0, left.length - 1), 1);
    return taken;
  });
}
