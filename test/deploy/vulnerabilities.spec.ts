// The vulnerability gate with the real npm, against a fake advisory service with planted advisories.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');
const BULK = '/-/npm/v1/security/advisories/bulk';
const DAY_MS = 86_400_000;

interface Advisory {
  id: number;
  url: string;
  title: string;
  severity: string;
  vulnerable_versions: string;
}
const advisory = (id: string, severity: string, range: string): Advisory => ({
  id: 1,
  url: `https://github.com/advisories/${id}`,
  title: 'Planted',
  severity,
  vulnerable_versions: range,
});
const HIGH = 'GHSA-aaaa-bbbb-cccc';
/** Advisories that every fake service knows. */
const OLD = { lodash: [advisory('GHSA-35jh-r3h4-6jhm', 'high', '<4.17.21')] };

let folder: string;
let service: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'colloquy-audit-'));
  plant('planted-lib', {});
});
afterEach(() => {
  service?.closeAllConnections();
  service?.close();
  service = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** A lock file with one dependency, in version 1.0.0. */
function plant(name: string, entry: { dev?: boolean }): void {
  const root = {
    name: 'planted',
    version: '1.0.0',
    [entry.dev ? 'devDependencies' : 'dependencies']: { [name]: '1.0.0' },
  };
  const lib = {
    version: '1.0.0',
    resolved: `https://registry.example/${name}-1.0.0.tgz`,
    integrity: 'sha512-AAAA',
    ...entry,
  };
  const packages = { '': root, [`node_modules/${name}`]: lib };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(root));
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({ ...root, lockfileVersion: 3, requires: true, packages }),
  );
}

/** Starts a fake of npm's service that returns advisories of the requested packages, or only `status` if it is not 200. */
async function advisories(known: Record<string, Advisory[]>, status = 200): Promise<string> {
  service = createServer((request, response) => {
    if (request.method !== 'POST' || request.url !== BULK || status !== 200) {
      response.writeHead(request.method === 'POST' ? status : 404).end('{}');
      return;
    }
    const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request;
    void text(body).then((asked) => {
      const names = Object.keys(JSON.parse(asked) as object);
      response.end(JSON.stringify(Object.fromEntries(Object.entries(known).filter(([name]) => names.includes(name)))));
    });
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  return `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
}

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

async function gate(
  registry: string,
  exceptions: object[] = [],
  args: string[] = ['--folder', folder],
): Promise<Outcome> {
  const file = join(folder, 'exceptions.json');
  writeFileSync(file, JSON.stringify(exceptions));
  const script = [join(REPOSITORY, '.ci/vulnerabilities.mjs'), '--exceptions', file, ...args];
  const env = { ...process.env, npm_config_registry: registry, npm_config_cache: join(folder, 'cache') };
  return await new Promise((done) => {
    const child = execFile(process.execPath, script, { env }, (_, stdout, stderr) =>
      done({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const day = (fromNow: number): string => new Date(Date.now() + fromNow * DAY_MS).toISOString().slice(0, 10);
const reviewed = (more: object = {}): object => ({
  advisory: HIGH,
  package: 'planted-lib',
  reason: 'The parser that it is about is never called.',
  until: day(30),
  ...more,
});

describe('the vulnerability gate', { timeout: 60_000 }, () => {
  it('fails for a production dependency with a severe vulnerability, and reports it with its path', async () => {
    const registry = await advisories({ ...OLD, 'planted-lib': [advisory(HIGH, 'high', '<1.0.1')] });
    const { code, stderr } = await gate(registry);
    expect(stderr).toMatch(
      new RegExp(`^high: planted-lib <1.0.1: Planted \\(${HIGH}, .*in node_modules/planted-lib$`, 'm'),
    );
    expect(code).toBe(1);
  });

  it('reads our own lock file', async () => {
    const registry = await advisories({ ...OLD, 'sodium-native': [advisory(HIGH, 'critical', '>=0')] });
    const { code, stderr } = await gate(registry, [], []);
    expect(stderr).toContain('critical: sodium-native');
    expect(code).toBe(1);
  });

  it('ignores development dependencies, less severe vulnerabilities and other versions', async () => {
    const none = { code: 0, stderr: '', stdout: 'no known vulnerability in production dependencies\n' };
    const registry = await advisories({
      ...OLD,
      'planted-lib': [advisory(HIGH, 'moderate', '<2'), advisory('GHSA-aaaa-bbbb-dddd', 'critical', '<1.0.0')],
      'planted-tool': [advisory(HIGH, 'critical', '<2')],
    });
    expect(await gate(registry)).toEqual(none);
    plant('planted-tool', { dev: true });
    expect(await gate(registry)).toEqual(none);
  });

  it('accepts reviewed exceptions with a reason, for at most 90 days', async () => {
    const registry = await advisories({ ...OLD, 'planted-lib': [advisory(HIGH, 'high', '<1.0.1')] });
    const passed = await gate(registry, [reviewed()]);
    expect([passed.code, passed.stdout]).toEqual([0, expect.stringContaining(`reviewed: planted-lib ${HIGH}`)]);
    const flawed: [object, string][] = [
      [{ until: day(-2) }, 'has expired on'],
      [{ until: day(120) }, 'is for longer than 90 days'],
      [{ until: undefined }, 'has no date'],
      [{ reason: 'later' }, 'gives no reason'],
    ];
    for (const [more, words] of flawed) {
      const { code, stderr } = await gate(registry, [reviewed(more)]);
      expect([code, stderr]).toEqual([1, expect.stringContaining(words)]);
    }
    expect((await gate(registry, [reviewed({ package: 'another' })])).code).toBe(1);
  });

  it.each([
    ['refuses to answer', OLD, 405],
    ['knows nothing at all', {}, 200],
  ])('warns if the service %s, and fails in strict mode', async (_, known, status) => {
    const registry = await advisories(known, status);
    const { code, stderr, stdout } = await gate(registry);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/^VULNERABILITIES NOT CHECKED: .+$/m);
    expect((await gate(registry, [], ['--folder', folder, '--strict'])).code).toBe(2);
  });
});
