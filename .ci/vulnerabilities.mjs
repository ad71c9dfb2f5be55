// The vulnerability gate: no production dependency of the lock file with a known vulnerability of severity high or critical,
// unless somebody has reviewed it (vulnerability-exceptions.json). npm asks the registry's advisory service and matches
// versions; here is only what it lacks: exceptions that expire, and what happens when the service does not answer.
// See docs/decisions/0034-vulnerability-gate.md. Node built-ins only.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const HELP = `Usage: npm run vulnerabilities -- [--strict] [--folder <folder>] [--exceptions <file>]

Exit code 0: none, or the advisory service could not be asked (a warning says so); 1: a vulnerability, or an exception that
does not hold; 2: with --strict, the service could not be asked. A release wants --strict.
`;
const SEVERE = new Set(['high', 'critical']);
/** Longer than this no exception holds: whoever wrote it looks again. */
const LONGEST_DAYS = 90;
const DAY_MS = 86_400_000;
/** A lock file with an old vulnerability that every advisory service knows: one that finds nothing here finds nothing. */
const KNOWN = join(import.meta.dirname, 'known-vulnerability');

/** npm's report on a folder's lock file. Throws with npm's words when the service did not answer. */
async function audit(folder) {
  const args = ['audit', '--json', '--omit=dev', '--package-lock-only', '--fetch-retries=2', '--fetch-timeout=30000'];
  const output = await new Promise((done) => {
    execFile('npm', args, { cwd: folder, maxBuffer: 1e8, timeout: 180_000 }, (_, stdout) => done(stdout));
  });
  const report = parsed(output);
  if (report?.auditReportVersion !== 2) throw new Error(report?.message ?? 'npm audit gave no report');
  return report;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Each advisory once, with where the package lies: `via` also names dependents, as text. */
function advisoriesIn(report) {
  const found = new Map();
  for (const { via, nodes } of Object.values(report.vulnerabilities)) {
    for (const advisory of via) {
      if (typeof advisory === 'string' || !SEVERE.has(advisory.severity)) continue;
      const id = /GHSA(-\w{4}){3}/.exec(advisory.url)?.[0] ?? String(advisory.source);
      const { name, title, severity, range, url } = advisory;
      found.set(`${name} ${id}`, { id, name, title, severity, range, url, nodes });
    }
  }
  return [...found.values()];
}

/** What is wrong with an exception, or undefined. `nowMs`: epoch milliseconds. */
function flawOf({ advisory, package: name, reason, until }, nowMs) {
  if (!advisory || !name) return 'names no advisory or no package';
  if (typeof reason !== 'string' || reason.trim().length < 20) return 'gives no reason (20 characters or more)';
  const end = /^\d{4}-\d\d-\d\d$/.test(until ?? '') ? Date.parse(until) + DAY_MS : NaN;
  if (Number.isNaN(end)) return 'has no date "until" (YYYY-MM-DD)';
  if (end < nowMs) return `has expired on ${until}: look again`;
  return end > nowMs + (LONGEST_DAYS + 1) * DAY_MS ? `is for longer than ${LONGEST_DAYS} days` : undefined;
}

async function main() {
  const options = {
    strict: { type: 'boolean', default: false },
    folder: { type: 'string', default: join(import.meta.dirname, '..') },
    exceptions: { type: 'string', default: join(import.meta.dirname, 'vulnerability-exceptions.json') },
    help: { type: 'boolean', short: 'h', default: false },
  };
  const { values } = parseArgs({ options });
  if (values.help) return void process.stdout.write(HELP);
  const exceptions = JSON.parse(readFileSync(values.exceptions, 'utf8'));
  const flaws = exceptions.flatMap((exception) => {
    const flaw = flawOf(exception, Date.now());
    return flaw === undefined ? [] : [`the exception for ${exception.package} ${exception.advisory} ${flaw}`];
  });
  let found;
  try {
    const [report, known] = [await audit(values.folder), await audit(KNOWN)];
    if (advisoriesIn(known).length === 0) throw new Error('it does not even know an old vulnerability');
    found = advisoriesIn(report);
  } catch (error) {
    const line = `VULNERABILITIES NOT CHECKED: the registry's advisory service could not be asked (${error.message})`;
    process.stderr.write(`\n${line}\n\n`);
    process.exitCode = values.strict ? 2 : 0;
    found = [];
  }
  const isReviewed = ({ id, name }) => exceptions.some((one) => one.advisory === id && one.package === name);
  const open = found.filter((advisory) => !isReviewed(advisory));
  for (const { id, name, title, severity, range, url, nodes } of open) {
    process.stderr.write(`${severity}: ${name} ${range}: ${title} (${id}, ${url}) in ${nodes.join(', ')}\n`);
  }
  for (const flaw of flaws) process.stderr.write(`${flaw}\n`);
  for (const { id, name } of found.filter(isReviewed)) process.stdout.write(`reviewed: ${name} ${id}\n`);
  if (open.length + flaws.length > 0) process.exitCode = 1;
  else if (process.exitCode === undefined) process.stdout.write('no known vulnerability in production dependencies\n');
}

await main();
