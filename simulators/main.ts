// Command line of the simulators. One JSON line on stdout says where they listen; SIGTERM or SIGINT ends them.
import { Command, InvalidArgumentError } from 'commander';
import { startWorkspace, type WorkspaceOptions } from './workspace.js';

const number =
  (low: number, high: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= low && value <= high))
      throw new InvalidArgumentError(`a number from ${low} to ${high}`);
    return value;
  };

function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new InvalidArgumentError('an http or https URL');
  return text;
}

function commandLine(): Command {
  return new Command('simulators')
    .description(
      'A simulated Retell workspace: HTTP API, recordings, and calls that happen and are announced by webhook',
    )
    .option(
      '--port <number>',
      'port on 127.0.0.1; 0 or taken: the port of the last run, else a free one',
      number(0, 65_535),
      0,
    )
    .option(
      '--api-key <key>',
      'key of the API and of webhook signatures (default: that of the state folder, else a new one)',
    )
    .option('--webhook-url <url>', 'where calls are announced; absent: nothing happens, the API only serves', httpUrl)
    .option('--seed <text>', 'decides all calls (default: that of the state folder, else a random one)')
    .option('--rate <number>', 'calls a minute', number(0.01, 6000), 6)
    .option('--speed <number>', 'how many times faster than real a call passes', number(0.1, 100_000), 20)
    .option('--history <number>', 'finished calls at the first start', number(0, 1000), 12)
    .option('--transcript-updates', 'announce each turn of a live call (transcript_updated)', false)
    .option('--disorder <share>', 'share of calls with doubled, reordered or missing webhooks', number(0, 1), 0.1)
    .option('--max-calls <number>', 'stop starting calls after so many', number(0, 1_000_000))
    .option('--state-dir <folder>', 'keep calls over restarts');
}

/** Stays subscribed, so that a second Ctrl-C does not cut the orderly end short. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => resolve());
  });
}

async function main(): Promise<void> {
  const { rate, ...options } = commandLine()
    .parse()
    .opts<Omit<WorkspaceOptions, 'callsPerMinute'> & { rate: number }>();
  const ended = signalled();
  const workspace = await startWorkspace({ ...options, callsPerMinute: rate });
  const retell = { baseUrl: workspace.simulator.baseUrl, seed: workspace.seed, apiKey: workspace.apiKey };
  process.stdout.write(`${JSON.stringify({ event: 'ready', retell })}\n`);
  await ended;
  await workspace.close();
}

main().catch((error: unknown) => {
  process.stderr.write(`simulators: ${error instanceof Error ? error.message : 'failed to start'}\n`);
  process.exitCode = 1;
});
