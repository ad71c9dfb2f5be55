// How the dialogues of `topics.ts` are written: "A:" the agent, "U:" the caller, "T:" the person a call goes to,
// or an object for what is not speech. Slots such as {first} are filled for each call.

/** Something that happens in a call besides speech. */
export type Happening =
  | { tool: string; arguments: Record<string, unknown>; result: unknown; ok?: boolean }
  | { node: [from: string, to: string] }
  | { dtmf: string }
  | { sms: string }
  | { pauseSeconds: number };

/** One line of a script. */
export type Line = string | Happening;

/** What the slots of a script stand for, by name. */
export type Slots = Record<string, string>;

/** Replaces each `{slot}` in all texts of a value; an unknown slot stays as written. */
export function fill<T>(value: T, slots: Slots): T;
export function fill(value: unknown, slots: Slots): unknown {
  if (typeof value === 'string') return value.replace(/\{(\w+)\}/g, (slot, name: string) => slots[name] ?? slot);
  if (Array.isArray(value)) return value.map((item: unknown) => fill(item, slots));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]: [string, unknown]) => [key, fill(item, slots)]));
}
