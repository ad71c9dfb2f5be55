// Conversations at simulated providers, and the responses to their webhooks. Everything except timing depends on a seed.
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../simulators/random.js';
import type { BatteryProvider, Webhook } from './providers/provider.js';

/** A provider, its account, and the URL that its webhooks are sent to. */
export interface Line {
  provider: BatteryProvider;
  accountId: string;
  webhookUrl: string;
}

export interface TrafficPlan {
  seed: string;
  conversations: number;
  /** Seconds within which they all begin. */
  seconds: number;
}

interface Told extends Webhook {
  isAccepted: boolean;
}

/** Share of conversations without any webhook. */
const UNTOLD = 0.04;
const WEBHOOK_ONLY = 0.25;
const [DOUBLED, LATE] = [0.2, 0.25];
const LATE_MS = 3_000;

/** The webhooks of one provider, and which of them were accepted. */
export class Ledger {
  private readonly told = new Map<string, Told>();

  add(webhook: Webhook, isAccepted: boolean): void {
    const before = this.told.get(webhook.body);
    this.told.set(webhook.body, { ...webhook, isAccepted: isAccepted || before?.isAccepted === true });
  }

  /** Accepted events by conversation. */
  accepted(): Map<string, Set<string>> {
    const found = new Map<string, Set<string>>();
    for (const { providerId, event, isAccepted } of this.told.values()) {
      if (isAccepted) found.set(providerId, (found.get(providerId) ?? new Set()).add(event));
    }
    return found;
  }

  acceptedBodies(): string[] {
    return [...this.told.values()].filter(({ isAccepted }) => isAccepted).map(({ body }) => body);
  }

  get size(): number {
    return this.told.size;
  }
}

/** Runs all conversations, spread over the providers; resolves when the last webhook was accepted or given up. */
export async function runTraffic(lines: Line[], plan: TrafficPlan): Promise<Map<Line, Ledger>> {
  const ledgers = new Map(lines.map((line) => [line, new Ledger()]));
  const random = new Random(`${plan.seed} arrivals`);
  const episodes = Array.from({ length: plan.conversations }, async (_, index) => {
    await sleep(random.between(0, plan.seconds * 1000));
    const line = lines[index % lines.length];
    const ledger = line && ledgers.get(line);
    if (line && ledger) await live(line, ledger, `${plan.seed} ${index}`);
  });
  await Promise.all(episodes);
  return ledgers;
}

async function live({ provider, webhookUrl }: Line, ledger: Ledger, seed: string): Promise<void> {
  const random = new Random(`${seed} battery`);
  const isTold = !random.chance(UNTOLD);
  const sent: Promise<void>[] = [];
  const send = async (webhook: Webhook): Promise<void> => ledger.add(webhook, await provider.send(webhookUrl, webhook));
  const deliver = async (webhook: Webhook): Promise<void> => {
    if (random.chance(LATE)) await sleep(random.between(0, LATE_MS));
    await Promise.all(Array.from({ length: random.chance(DOUBLED) ? 2 : 1 }, () => send(webhook)));
  };
  await provider.live({
    seed,
    random,
    isWebhookOnly: random.chance(WEBHOOK_ONLY),
    tell: (webhook) => void (isTold && sent.push(deliver(webhook))),
    pause: (fromMs, toMs) => sleep(random.between(fromMs, toMs)),
  });
  await Promise.all(sent);
}
