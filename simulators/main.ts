// Command line of the simulators. One JSON line on stdout says where they listen; SIGTERM or SIGINT ends them.
import { Command, InvalidArgumentError, Option } from 'commander';
import { startElevenLabsWorkspace } from './elevenlabs/workspace.js';
import { setFaults } from './control.js';
import { noFaults } from './faults.js';
import type { CommonOptions, ProviderOptions, Workspace } from './opening.js';
import { startRetellWorkspace } from './retell/workspace.js';

interface Given extends Omit<CommonOptions, 'perMinute' | 'faults'> {
  provider: 'retell' | 'elevenlabs' | 'both';
  rate: number;
  chats: number;
  transcriptUpdates: boolean;
  fault: unknown[];
  retellPort: number;
  retellApiKey?: string;
  retellWebhookUrl?: string;
  elevenlabsPort: number;
  elevenlabsApiKey?: string;
  elevenlabsWebhookUrl?: string;
  elevenlabsWebhookSecret?: string;
  elevenlabsRetries: boolean;
}

const number =
  (low: number, high: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= low && value <= high))
      throw new InvalidArgumentError(`a number from ${low} to ${high}`);
    return value;
  };

const whole =
  (low: number, high: number) =>
  (text: string): number => {
    const value = number(low, high)(text);
    if (!Number.isInteger(value)) throw new InvalidArgumentError('a whole number');
    return value;
  };

function secret(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new InvalidArgumentError('visible ASCII characters, at least one');
  return text;
}

function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new InvalidArgumentError('an http or https URL');
  return text;
}

/** Parses `webhooks.late=0.2`: a path and a JSON value; a plain word is taken as a string. */
function fault(text: string, before: unknown[]): unknown[] {
  const [path = '', ...rest] = text.split('=');
  if (rest.length === 0) throw new InvalidArgumentError('name=value');
  const value = rest.join('=');
  const parsed = /^[[{"\d-]|^(true|false|null)$/.test(value) ? jsonOf(value) : value;
  const given = path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), parsed);
  try {
    setFaults(noFaults(), given);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : 'unknown');
  }
  return [...before, given];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('a value in JSON');
  }
}

function commandLine(): Command {
  const command = new Command('simulators')
    .description(
      'Simulated Retell and ElevenLabs workspaces: HTTP APIs, recordings, and live conversations with webhooks. Prints one ' +
        'JSON line with base URLs and keys; Ctrl-C stops it. Faults: simulators/README.md.',
    )
    .addOption(
      new Option('--provider <name>', 'what to simulate').choices(['retell', 'elevenlabs', 'both']).default('both'),
    )
    .option('--rate <number>', 'conversations per minute and provider', number(0.01, 6000), 6)
    .option('--seed <text>', 'determines all conversations (default: the seed in the state folder, else a random one)')
    .option('--speed <number>', 'how many times faster than real time a conversation runs', number(0.1, 100_000), 20)
    .option('--history <number>', 'finished conversations at the first start, announced', whole(0, 1000), 12)
    .option('--bulk <number>', 'finished conversations at the first start, not announced', whole(0, 1_000_000), 0)
    .option('--bulk-days <number>', 'the past days over which they are spread', number(0.01, 3650), 30)
    .option(
      '--disorder <share>',
      'share of conversations with duplicated, reordered or missing webhooks',
      number(0, 1),
      0.1,
    )
    .option('--fault <name=value>', 'a fault to start with, such as webhooks.late=0.2; repeatable', fault, [])
    .option('--max-conversations <number>', 'start no more than this many conversations', whole(0, 1_000_000))
    .option(
      '--max-recordings <megabytes>',
      'recordings per provider after which only a chat every ten minutes is generated (default: no limit)',
      number(0, 1_000_000),
    )
    .option('--state-dir <folder>', 'keep conversations, ports and keys across restarts');
  for (const [key, name, signed] of [
    ['retell', 'Retell', ' and of webhook signatures'],
    ['elevenlabs', 'ElevenLabs', ''],
  ] as const) {
    command
      .option(
        `--${key}-port <number>`,
        `port of ${name} on 127.0.0.1 (0: the port of the last run, else a free one)`,
        whole(0, 65_535),
        0,
      )
      .option(`--${key}-api-key <key>`, `API key of ${name}${signed} (default: as for the port)`, secret)
      .option(
        `--${key}-webhook-url <url>`,
        `where ${name} sends webhooks; without it the API only serves existing conversations`,
        httpUrl,
      );
  }
  return command
    .option('--elevenlabs-webhook-secret <secret>', "secret of ElevenLabs' webhook signatures", secret)
    .option('--elevenlabs-retries', 'retry failed webhooks of ElevenLabs; off by default, as at ElevenLabs', false)
    .option('--chats <share>', "share of chats among Retell's conversations", number(0, 1), 0.15)
    .option('--transcript-updates', 'Retell sends a webhook for each turn of a live call (transcript_updated)', false);
}

/** Stays subscribed, so that a second Ctrl-C does not interrupt the graceful shutdown. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => resolve());
  });
}

async function start(given: Given): Promise<Record<string, Workspace>> {
  const { rate, fault: faults, provider } = given;
  const maxRecordings = given.maxRecordings === undefined ? undefined : given.maxRecordings * 1e6;
  const common: CommonOptions = { ...given, perMinute: rate, faults, maxRecordings };
  const retell: ProviderOptions = {
    port: given.retellPort,
    apiKey: given.retellApiKey,
    webhookUrl: given.retellWebhookUrl,
  };
  const elevenlabs = {
    port: given.elevenlabsPort,
    apiKey: given.elevenlabsApiKey,
    webhookUrl: given.elevenlabsWebhookUrl,
    webhookSecret: given.elevenlabsWebhookSecret,
    retries: given.elevenlabsRetries,
  };
  const { chats, transcriptUpdates } = given;
  return {
    ...(provider === 'elevenlabs'
      ? {}
      : { retell: await startRetellWorkspace({ ...retell, chats, transcriptUpdates }, common) }),
    ...(provider === 'retell' ? {} : { elevenlabs: await startElevenLabsWorkspace(elevenlabs, common) }),
  };
}

/** One sentence for an error; messages of system errors already name the path or the address. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed to start';
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error)
    return `port ${String(error.port)} is in use: choose another one, or 0 for a free one`;
  return error.message;
}

async function main(): Promise<void> {
  const given = commandLine().parse().opts<Given>();
  const ended = signalled();
  const workspaces = await start(given);
  process.stdout.write(`${JSON.stringify({ event: 'ready', ...workspaces })}\n`);
  await ended;
  await Promise.all(Object.values(workspaces).map((workspace) => workspace.close()));
}

main().catch((error: unknown) => {
  process.stderr.write(`simulators: ${sentenceOf(error)}\n`);
  // A workspace that has already started would keep the process alive: signals only close it after a complete start.
  process.exit(1);
});
