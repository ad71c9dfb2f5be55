// Passes the trace of the last start or signal of a workflow on to its activities, in headers: no additional history events.
import type { Headers, WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { TRACE_HEADER } from './names.js';

export const interceptors: WorkflowInterceptorsFactory = () => {
  let trace: Headers = {};
  const follow = (headers: Headers): void => {
    const header = headers[TRACE_HEADER];
    if (header !== undefined) trace = { [TRACE_HEADER]: header };
  };
  return {
    inbound: [
      {
        execute: (input, next) => {
          follow(input.headers);
          return next(input);
        },
        handleSignal: (input, next) => {
          follow(input.headers);
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next({ ...input, headers: { ...input.headers, ...trace } }),
        scheduleLocalActivity: (input, next) => next({ ...input, headers: { ...input.headers, ...trace } }),
        continueAsNew: (input, next) => next({ ...input, headers: { ...input.headers, ...trace } }),
      },
    ],
  };
};
