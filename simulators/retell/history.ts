// The past of a simulated workspace, so that a new user sees conversations at once.
import { Random } from '../random.js';
import { endReason } from './reasons.js';
import { scenarioOf } from './scenarios.js';
import type { RetellSimulator } from './server.js';

const MINUTE_MS = 60_000;

/** Adds `count` finished calls of the last hours, oldest first; returns their ids. The same seed gives the same calls. */
export function addHistory(simulator: RetellSimulator, seed: string, count: number): string[] {
  const random = new Random(`${seed} history`);
  const ages = Array.from({ length: count }, () => random.between(6 * MINUTE_MS, 360 * MINUTE_MS));
  ages.sort((a, b) => b - a);
  return ages.map((age, index) => {
    const callSeed = `${seed} history ${index}`;
    const fields = scenarioOf(callSeed);
    const isConnected = endReason(String(fields['disconnection_reason'])).connected;
    const times = isConnected ? { end_timestamp: Math.round(simulator.clock() - age) } : {};
    return simulator.addCompleteCall({ ...fields, ...times }, callSeed).call_id;
  });
}
