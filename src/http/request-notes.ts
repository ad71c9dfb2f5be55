// Fields that handlers add to the log line and span of their request: ids and enumerations.
import type { LogFields } from '../common/log.js';

const notes = new WeakMap<object, LogFields>();

/** Adds fields to the request's log line and span. */
export function note(request: object, fields: LogFields): void {
  notes.set(request, { ...notes.get(request), ...fields });
}

/** All fields added so far. */
export const notesOf = (request: object): LogFields => notes.get(request) ?? {};
