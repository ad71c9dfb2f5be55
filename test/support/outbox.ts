// The outbox alone, against the real Temporal: no worker runs its workflows, and Temporal refuses some of them.
import type { Client } from '@temporalio/client';
import { Log } from '../../src/common/log.js';
import type { WorkflowKind, WorkflowStart } from '../../src/outbox/workflow-kind.js';
import { SearchAttributes } from '../../src/temporal/search-attributes.js';
import { WorkflowClient } from '../../src/temporal/workflow-client.js';

/** Makes an id too long: Temporal answers `invalid_argument`. */
const TOO_LONG = 'x'.repeat(1_000);

export function workflowClient(temporal: Client): WorkflowClient {
  const attributes = new SearchAttributes({ areRegistered: true, log: new Log('silent') });
  return new WorkflowClient(temporal, { eager: false, attributes });
}

export const idOf = (type: string, entityId: string): string => `${type}/${entityId}`;

interface TestKind extends WorkflowKind {
  /** uuids of entities whose workflow Temporal refuses to start. */
  readonly refused: Set<string>;
}

/** A kind in which every command is a signal of its own name. Every requested entity has a start, and nothing is due. */
export function testKind(type: string, parts: Partial<WorkflowKind> = {}): TestKind {
  const refused = new Set<string>();
  const startOf = (id: string): WorkflowStart => ({
    workflowId: refused.has(id) ? `${TOO_LONG}/${id}` : idOf(type, id),
    type,
    queue: 'nobody',
    input: {},
    attributes: { clientId: 'cl_1', provider: 'retell' },
    summary: '',
    details: '',
  });
  return {
    type,
    refused,
    due: () => Promise.resolve([]),
    dueAmong: () => Promise.resolve([]),
    startsOf: (_tx, ids) => Promise.resolve(new Map(ids.map((id) => [id, startOf(id)]))),
    signalOf: (name) => ({ name, args: [] }),
    entityIdOf: (workflowId) => workflowId.split('/')[1] ?? null,
    ...parts,
  };
}
