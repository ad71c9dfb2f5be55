// Format of the dialogues in `topics.ts`: "A:" is the agent, "U:" the caller, "T:" the person a call is transferred to;
// objects are for everything except speech. Slots such as {first} are filled for each call.

/** An event in a call other than speech. */
export type Happening =
  | { tool: string; arguments: Record<string, unknown>; result: unknown; ok?: boolean }
  | { node: [from: string, to: string] }
  | { dtmf: string }
  | { sms: string }
  | { pauseSeconds: number };

/** One line of a script. */
export type Line = string | Happening;

/** The values of the slots of a script, by name. */
export type Slots = Record<string, string>;

/** Replaces each `{slot}` in all texts of a value; an unknown slot stays as written. */
export function fill<T>(value: T, slots: Slots): T;
export function fill(value: unknown, slots: Slots): unknown {
  if (typeof value === 'string') return value.replace(/\{(\w+)\}/g, (slot, name: string) => slots[name] ?? slot);
  if (Array.isArray(value)) return value.map((item: unknown) => fill(item, slots));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]: [string, unknown]) => [key, fill(item, slots)]));
}
