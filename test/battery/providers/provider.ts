// What the battery needs from a simulated provider. A new one is a file next to this and a line in all.ts.
import type { Random } from '../../../simulators/random.js';

/** A webhook that the provider sends. The same conversation and event may have several bodies. */
export interface Webhook {
  providerId: string;
  event: string;
  body: string;
}

/** How one conversation happens. */
export interface Episode {
  seed: string;
  random: Random;
  /** The provider keeps no transcript and no audio of it: webhooks are the only source. */
  isWebhookOnly: boolean;
  /** Sends a webhook in the background: it may be late, duplicated or out of order. */
  tell: (webhook: Webhook) => void;
  pause: (fromMs: number, toMs: number) => Promise<void>;
}

/** What must be stored of a known conversation. */
export interface Expected {
  /** Parts that must be present; false if a part may have been lost with a webhook that was not accepted. */
  isRequired: { words: boolean; recording: boolean };
  /** What was said, in order; empty if nobody spoke. */
  spoken: string[];
  /** Null if the provider has none. */
  summary: string | null;
  /** Null if there is none. */
  recording: Buffer | null;
}

export interface BatteryProvider {
  /** Its name in the API. */
  readonly name: string;
  /** Fields for `POST /v1/provider-accounts`. */
  readonly account: { api_key: string; webhook_secret?: string; base_url: string };
  /** Runs a conversation; resolves when it is over. */
  live(episode: Episode): Promise<void>;
  /** Sends a webhook with the provider's own signature and retries; true if it was accepted. */
  send(url: string, webhook: Webhook): Promise<boolean>;
  /** Sends a webhook once; returns the status of the response, 0 if there was none. */
  sendOnce(url: string, webhook: Webhook): Promise<number>;
  /** Creates a finished conversation; returns the webhook, not sent yet, that contains all of it except the audio. */
  finished(seed: string): Webhook;
  /** `accepted`: events of the conversation that were answered with 200. */
  expected(providerId: string, accepted: ReadonlySet<string>): Expected;
  /** Ids of all conversations that its list can return when filtered by time. */
  listed(): string[];
  close(): Promise<void>;
}
