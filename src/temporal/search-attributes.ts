// Search attributes of workflows in the Temporal UI. They must be registered in the namespace; if we are not allowed to do that
// (Temporal Cloud, an authorizer), workflows start with them if they are registered, else without.
import type { Connection } from '@temporalio/client';
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  TypedSearchAttributes,
  type SearchAttributePair,
} from '@temporalio/common';
import type { NativeConnection } from '@temporalio/worker';
import { errorFields, type Log } from '../common/log.js';
import type { WorkflowAttributes } from '../outbox/workflow-kind.js';

/** All are keywords. Anyone who can see a workflow can read them. */
const SEARCH_ATTRIBUTE = {
  clientId: defineSearchAttributeKey('ClientId', SearchAttributeType.KEYWORD),
  provider: defineSearchAttributeKey('Provider', SearchAttributeType.KEYWORD),
  channel: defineSearchAttributeKey('Channel', SearchAttributeType.KEYWORD),
} as const;

/** gRPC statuses (https://grpc.io/docs/guides/status-codes/). */
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const ALREADY_EXISTS = 6;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;
const DEADLINE_MS = 10_000;
/** temporal.api.enums.v1.IndexedValueType.KEYWORD */
const KEYWORD = 2;

export const SEARCH_ATTRIBUTE_NAMES = Object.values(SEARCH_ATTRIBUTE).map(({ name }) => name);

function pairsOf({ clientId, provider, channel }: WorkflowAttributes): SearchAttributePair[] {
  const pairs = [
    { key: SEARCH_ATTRIBUTE.clientId, value: clientId },
    { key: SEARCH_ATTRIBUTE.provider, value: provider },
  ];
  return channel === undefined ? pairs : [...pairs, { key: SEARCH_ATTRIBUTE.channel, value: channel }];
}

/** Registers missing ones; resolves with their names. A new one may take some seconds to be usable. */
export async function registerSearchAttributes(
  connection: NativeConnection | Connection,
  namespace: string,
): Promise<string[]> {
  const { operatorService } = connection;
  // A server that accepts connections but never answers must not block a worker or a command forever.
  const bounded = <Result>(call: () => Promise<Result>): Promise<Result> =>
    connection.withDeadline(Date.now() + DEADLINE_MS, call);
  const { customAttributes } = await bounded(() => operatorService.listSearchAttributes({ namespace }));
  const missing = SEARCH_ATTRIBUTE_NAMES.filter((name) => customAttributes[name] === undefined);
  if (missing.length === 0) return [];
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
  await bounded(() => operatorService.addSearchAttributes({ namespace, searchAttributes })).catch((error: unknown) => {
    // Another worker registered them first.
    if (codeOf(error) !== ALREADY_EXISTS) throw error;
  });
  return missing;
}

/** Whether Temporal did not answer. */
export const isAway = (error: unknown): boolean => codeOf(error) === DEADLINE_EXCEEDED || codeOf(error) === UNAVAILABLE;

/** Whether Temporal does not let us manage search attributes: it is forbidden, or the service does not exist. */
export const isRefused = (error: unknown): boolean =>
  codeOf(error) === PERMISSION_DENIED || codeOf(error) === UNIMPLEMENTED;

/** Registers missing search attributes, if Temporal allows it. */
export async function prepareSearchAttributes(
  connection: NativeConnection | Connection,
  namespace: string,
  log: Log,
): Promise<SearchAttributes> {
  try {
    await registerSearchAttributes(connection, namespace);
    return new SearchAttributes({ areRegistered: true, log });
  } catch (error) {
    if (!isRefused(error)) throw error;
    log.info('Temporal does not allow managing search attributes', { err: errorFields(error) });
    return new SearchAttributes({ areRegistered: false, log });
  }
}

/** Adds search attributes to starts of workflows, as far as Temporal knows them. */
export class SearchAttributes {
  private areUnknown = false;

  constructor(private readonly options: { areRegistered: boolean; log: Log }) {}

  /**
   * Starts with `attributes`. If they may not be registered and Temporal reports them as unknown, starts without them, from then on.
   * If they are registered but not usable yet, the start fails and is retried.
   */
  async starting<Result>(
    attributes: WorkflowAttributes,
    start: (known: { typedSearchAttributes?: TypedSearchAttributes }) => Promise<Result>,
  ): Promise<Result> {
    if (!this.areUnknown) {
      try {
        return await start({ typedSearchAttributes: new TypedSearchAttributes(pairsOf(attributes)) });
      } catch (error) {
        if (this.options.areRegistered || !isAboutAttributes(error)) throw error;
        this.giveUp();
      }
    }
    return start({});
  }

  private giveUp(): void {
    // Concurrent starts get the same error.
    if (this.areUnknown) return;
    this.areUnknown = true;
    const missing = SEARCH_ATTRIBUTE_NAMES;
    this.options.log.warn('Temporal does not know our search attributes; workflows start without them', { missing });
  }
}

const codeOf = (error: unknown): number | undefined => (error as { code?: number } | null)?.code;

/** `Namespace … has no mapping defined for search attribute …`, behind the client's own error. */
function isAboutAttributes(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return codeOf(cause) === INVALID_ARGUMENT && /search attribute/i.test((cause as Error).message);
}
