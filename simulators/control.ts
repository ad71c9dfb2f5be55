// `/_control/…`: an operator or a test in another process sets faults and reads counts here. These paths are not logged,
// faults do not affect them, and they need no key: simulators listen on 127.0.0.1 only.
import { z } from 'zod';
import { noFaults, type Faults } from './faults.js';
import { ApiError, type Route } from './http.js';
import type { Requests } from './requests.js';

const share = z.number().min(0).max(1);
const ms = z.number().min(0);
const statuses = z.array(z.union([z.literal(0), z.number().int().min(200).max(599)]));
const times = z.record(z.string(), z.number()).transform((value) => new Map(Object.entries(value)));

const schema = z
  .strictObject({
    getStatus: statuses,
    listStatus: statuses,
    deleteStatus: statuses,
    audioStatus: statuses,
    errors: z.strictObject({ share, statuses }).partial(),
    retryAfterSeconds: ms.nullable().transform((value) => value ?? undefined),
    getDelayMs: ms,
    listDelayMs: ms,
    audioDelayMs: ms,
    deleteDelayMs: ms,
    resetConnections: z.union([z.number().int().min(0), z.literal('always').transform(() => Infinity)]),
    missing: z.array(z.string()).transform((value) => new Set(value)),
    listLagMs: ms,
    deleteAfterList: z.number().int().min(0),
    lateAnalysisMs: ms.nullable().transform((value) => value ?? undefined),
    lateAudioMs: ms,
    linkLifetimeMs: ms.nullable().transform((value) => value ?? undefined),
    recordingExpiresAt: times,
    audio404Until: times,
    audioCutAfterBytes: z.array(z.number().int().min(0)),
    oddities: z.array(z.enum(['unknown_field', 'unknown_value', 'null'])),
    rewrites: z.strictObject({ share, afterMs: ms, webhook: z.boolean() }).partial(),
    webhooks: z
      .strictObject({ duplicated: share, missing: share, late: share, lateMs: ms, noRetry: z.boolean() })
      .partial(),
  })
  .partial();

/** Merges the given JSON (see the README) into the faults. Throws {@link ApiError} 400 that names the invalid field. */
export function setFaults(faults: Faults, given: unknown): void {
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ApiError(400, `${issue?.path.join('.') || 'faults'}: ${issue?.message ?? 'invalid'}`);
  }
  const { errors, rewrites, webhooks, ...rest } = parsed.data;
  Object.assign(faults, rest);
  Object.assign(faults.errors, errors);
  Object.assign(faults.rewrites, rewrites);
  Object.assign(faults.webhooks, webhooks);
}

function asJson(faults: Faults): unknown {
  return JSON.parse(
    JSON.stringify(faults, (_, value: unknown) => {
      if (value instanceof Map) return Object.fromEntries(value);
      if (value instanceof Set) return [...value];
      return value === Infinity ? 'always' : value;
    }),
  );
}

/** The control endpoints of one simulated provider. */
export function controlRoutes(faults: Faults, requests: Requests): Route[] {
  const pattern = /^\/_control\/faults$/;
  const answer = () => ({ status: 200, body: asJson(faults) });
  return [
    { method: 'GET', pattern, handle: answer },
    {
      method: 'POST',
      pattern,
      handle: (request) => {
        setFaults(faults, request.json());
        return answer();
      },
    },
    {
      method: 'DELETE',
      pattern,
      handle: () => {
        Object.assign(faults, noFaults());
        return answer();
      },
    },
    {
      method: 'GET',
      pattern: /^\/_control\/requests$/,
      handle: () => ({ status: 200, body: requests.summary() }),
    },
  ];
}
