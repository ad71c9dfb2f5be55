// What the battery asks of a simulated provider. A new one is one file beside this and one line in all.ts.
import type { Random } from '../../../simulators/random.js';

/** One webhook that the provider wants to be rid of. The same conversation and event may be told with several bodies. */
export interface Webhook {
  providerId: string;
  event: string;
  body: string;
}

/** How one conversation is lived. */
export interface Episode {
  seed: string;
  random: Random;
  /** The provider keeps no words and no audio of it: what its webhooks bring is all that there will ever be. */
  isWebhookOnly: boolean;
  /** Sends a webhook beside everything else: it may be late, doubled, overtaken. */
  tell: (webhook: Webhook) => void;
  pause: (fromMs: number, toMs: number) => Promise<void>;
}

/** What must be found of a conversation that is known. */
export interface Expected {
  /** What must be there; false where it may have been lost with a webhook that nobody accepted. */
  isRequired: { words: boolean; recording: boolean };
  /** What was said, in order; empty: nobody spoke. */
  spoken: string[];
  /** Null: the provider says none. */
  summary: string | null;
  /** Null: there is none. */
  recording: Buffer | null;
}

export interface BatteryProvider {
  /** Its name in the API. */
  readonly name: string;
  /** As `POST /v1/provider-accounts` takes it. */
  readonly account: { api_key: string; webhook_secret?: string; base_url: string };
  /** Lets a conversation happen; resolves when it is over. */
  live(episode: Episode): Promise<void>;
  /** Sends a webhook with the provider's own signature and retries; true when it was accepted. */
  send(url: string, webhook: Webhook): Promise<boolean>;
  /** Sends a webhook once; the status of the answer, 0 when there was none. */
  sendOnce(url: string, webhook: Webhook): Promise<number>;
  /** A conversation that is over and that nobody has told of, as the webhook that tells all but the audio. */
  finished(seed: string): Webhook;
  /** `accepted`: its events that were answered with 200. */
  expected(providerId: string, accepted: ReadonlySet<string>): Expected;
  /** Ids of all that its list over a time can name. */
  listed(): string[];
  close(): Promise<void>;
}
