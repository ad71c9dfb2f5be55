// Waits until nothing is pending, and checks single conversations.
import { expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import { auditConversation, conversationsOf, waitsFor } from './audit.js';
import type { Battery } from './installation.js';
import type { Webhook } from './providers/provider.js';
import type { Line } from './traffic.js';

/** Resolves once nothing is pending; fails with a summary of what is. */
export async function untilSettled({ sql }: Battery, seconds: number): Promise<void> {
  await eventually(async () => (await waitsFor(sql)) === null, seconds).catch(() => undefined);
  expect(await waitsFor(sql)).toBeNull();
}

/** A webhook and the line that sends it. */
export interface Sent {
  line: Line;
  webhook: Webhook;
}

/** One finished conversation per provider, with its webhook not sent yet. */
export const finishedAt = ({ lines }: Battery, seed: string): Sent[] =>
  lines.map((line) => ({ line, webhook: line.provider.finished(seed) }));

/** Sends the webhook once; returns the status of the response, 0 if there was none. */
export const send = ({ line, webhook }: Sent): Promise<number> => line.provider.sendOnce(line.webhookUrl, webhook);

/** What is wrong with conversations whose webhook was sent; includes those that are unknown. */
export async function wrongWith({ deployment }: Battery, sent: Sent[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const line of new Set(sent.map((one) => one.line))) {
    const known = new Map(
      (await conversationsOf(deployment, line.accountId)).map((one) => [one.provider_conversation_id, one]),
    );
    for (const { webhook } of sent.filter((one) => one.line === line)) {
      const found = known.get(webhook.providerId);
      const wanted = line.provider.expected(webhook.providerId, new Set([webhook.event]));
      const problems = found === undefined ? ['is not known'] : await auditConversation(deployment, found, wanted);
      wrong.push(...problems.map((problem) => `${line.provider.name} ${webhook.providerId}: ${problem}`));
    }
  }
  return wrong;
}
