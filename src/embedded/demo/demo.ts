// Runs the simulators as a child process, and finds a transcript to show after the start.
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEMO_PROVIDERS, type DemoAccount, type DemoProvider } from './demo-accounts.js';
import { nodeService } from '../node-service.js';
import type { OwnApi } from './own-api.js';
import { PROGRAM_STOP_MS } from '../services.js';
import type { Service } from '../supervisor.js';

/** Finished conversations of the last days, without webhooks, for the backfill of each account to find. */
const PAST = ['--bulk', '20', '--bulk-days', '7'];
/** Recordings per provider, after which its traffic is a chat every ten minutes. Without a limit it would write 14 GB a day. */
const MAX_RECORDINGS_MB = 1000;
/** Built separately, by `npm run build:simulators`. */
const PROGRAM = '.cache/simulators-build/main.js';
/** Shown in the summary. */
export const TRAFFIC = `slows to a chat every ten minutes after ${MAX_RECORDINGS_MB / 1000} GB of recordings per provider`;

/** The simulators' process. Its state is outside the data folder, since it plays external providers. */
export function simulatorService(options: {
  root: string;
  dataDir: string;
  accounts: Record<DemoProvider, DemoAccount>;
  apiUrl: string;
  env: NodeJS.ProcessEnv;
  log: string;
}): Service {
  const { root, dataDir, accounts, apiUrl, env, log } = options;
  const folder = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const stateDir = join(root, '.cache', 'simulators', folder);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const each = DEMO_PROVIDERS.flatMap((provider) => {
    const { port, apiKey, accountId } = accounts[provider];
    const webhookUrl = `${apiUrl}/v1/webhooks/${accountId}`;
    const of = (name: string, value: string): string[] => [`--${provider}-${name}`, value];
    return [...of('port', String(port)), ...of('api-key', apiKey), ...of('webhook-url', webhookUrl)];
  });
  const bound = ['--max-recordings', String(MAX_RECORDINGS_MB)];
  const secret = ['--elevenlabs-webhook-secret', accounts.elevenlabs.webhookSecret];
  const urls = DEMO_PROVIDERS.map((provider) => `127.0.0.1:${accounts[provider].port}`);
  return nodeService({
    name: 'the simulators',
    args: [join(root, PROGRAM), '--state-dir', stateDir, ...PAST, ...bound, ...each, ...secret],
    env,
    log,
    stopMs: PROGRAM_STOP_MS,
    together: 'programs',
    isReady: (output) => output.includes('"event":"ready"') && urls.every((url) => output.includes(url)),
    readyMs: 20_000,
  });
}

interface Row {
  id: string;
  completeness?: { transcript?: { state?: string } };
  turn_count?: number;
}

/** A conversation with fewer turns is not worth showing. */
const MIN_TURNS = 4;

/**
 * The path of a transcript in which both sides speak; if none appears within `waitMs`, of any transcript, or undefined.
 * Reads it, so that the printed command is known to work.
 */
export async function findTranscript(reader: OwnApi, waitMs: number): Promise<string | undefined> {
  const read = new Set<string>();
  let short: string | undefined;
  for (const until = Date.now() + waitMs; ; await sleep(500)) {
    const page = await reader.get('/v1/conversations?limit=50');
    const rows = ((page?.['data'] ?? []) as Row[]).filter(
      ({ id, completeness }) => completeness?.transcript?.state === 'present' && !read.has(id),
    );
    for (const { id, turn_count: turns = 0 } of rows) {
      if (turns < MIN_TURNS && short !== undefined) continue;
      read.add(id);
      const path = `/v1/conversations/${id}/transcript?format=text`;
      const text = await reader.text(path);
      if (text && turns >= MIN_TURNS && bothSpeak(text)) return path;
      if (text) short ??= path;
    }
    if (Date.now() >= until) return short;
  }
}

/** Takes a transcript in the text format. */
const bothSpeak = (text: string): boolean =>
  ['Customer', 'Agent'].every((who) => new RegExp(`^(\\[[\\d:]+\\] )?${who}: \\S`, 'm').test(text));
