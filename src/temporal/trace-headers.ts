// Propagates traces through Temporal: starts and signals carry a header with two random ids, which the workflow passes to its
// activities (workflows/trace.ts). It adds bytes to existing history events, but no events.
import type { Context } from '@temporalio/activity';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { errorFields, type Log } from '../common/log.js';
import { traced, traceparent } from '../observability/tracing.js';
import { TRACE_HEADER } from '../../workflows/names.js';

function withTrace(headers: Headers): Headers {
  const trace = traceparent();
  return trace === null ? headers : { ...headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload(trace) };
}

/** For the client: adds the active trace to starts and signals. */
export const sendTrace: WorkflowClientInterceptor = {
  start: (input, next) => next({ ...input, headers: withTrace(input.headers) }),
  signalWithStart: (input, next) => next({ ...input, headers: withTrace(input.headers) }),
};

function traceOf(headers: Headers): string | null {
  const payload = headers[TRACE_HEADER];
  const trace: unknown = payload === undefined ? null : defaultPayloadConverter.fromPayload(payload);
  return typeof trace === 'string' ? trace : null;
}

/** For the worker: a span and, at level debug, a log line for every attempt of an activity. Ids, codes and times only. */
export function observeActivity(log: Log): ActivityInterceptorsFactory {
  return ({ info }: Context) => ({
    inbound: {
      execute: async (input, next) => {
        const { activityType: activity, attempt, workflowExecution } = info;
        const workflow = workflowExecution?.workflowId ?? '';
        const begun = performance.now();
        const logOutcome = (outcome: object): void =>
          log.debug('activity', {
            activity,
            workflow_id: workflow,
            attempt,
            duration_ms: Math.round(performance.now() - begun),
            ...outcome,
          });
        const attributes = {
          'colloquy.activity': activity,
          'colloquy.workflow_id': workflow,
          'colloquy.attempt': attempt,
        };
        const options = { kind: 'consumer', parent: traceOf(input.headers), attributes } as const;
        try {
          const result = await traced(`activity ${activity}`, options, () => next(input));
          logOutcome({ result: 'done' });
          return result;
        } catch (error) {
          logOutcome({ result: 'failed', err: { type: typeOf(error), ...errorFields(error) } });
          throw error;
        }
      },
    },
  });
}

/** Our type of a failure (activities/failures.ts): `not_yet`, `provider` or a problem code. */
const typeOf = (error: unknown): unknown => (error instanceof Error && 'type' in error ? error.type : undefined);
