// What a handler knows of its request beyond route and status: ids and enumerations, for the request's log line and span.
import type { LogFields } from '../common/log.js';

const notes = new WeakMap<object, LogFields>();

/** Adds to what is told of this request when it has been answered. */
export function note(request: object, fields: LogFields): void {
  notes.set(request, { ...notes.get(request), ...fields });
}

/** Everything noted so far. */
export const notesOf = (request: object): LogFields => notes.get(request) ?? {};
