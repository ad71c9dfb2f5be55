// Assembles the gateway of a worker.
import type { Log } from '../../common/log.js';
import type { Transport } from '../../egress/egress.js';
import type { WorkerDatabase } from '../../database/database.js';
import { AccountGate } from './account-gate.js';
import type { Clock } from '../../common/clock.js';
import { ProviderGateway } from './gateway.js';
import { SharedBudget } from './shared-budget.js';
import { StoredAccountStates } from './account-states.js';

interface Parts {
  database: WorkerDatabase;
  log: Log;
  egress: Transport;
  /** Requests per second and account, over all processes. */
  requestRate: number;
  clock: Clock;
}

export function openGateway({ database, log, egress, requestRate, clock }: Parts): ProviderGateway {
  const random = Math.random;
  const gate = new AccountGate({ states: new StoredAccountStates(database, clock), clock, random, log });
  return new ProviderGateway({ gate, budget: new SharedBudget(database, requestRate, clock), clock, random, egress });
}
