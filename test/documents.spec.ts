// The documents match the code.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PROBLEMS } from '../src/common/errors.js';
import { environment } from '../src/config/config.js';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const documents = [
  ...[
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'simulators/README.md',
    'deploy/secrets/README.md',
  ],
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

const { properties: settings = {} } = z.toJSONSchema(environment, { io: 'input', unrepresentable: 'any' }) as {
  properties?: Record<string, { default?: string | number; enum?: string[] }>;
};

/** The anchor that GitHub generates for a heading. */
const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

describe('documents', () => {
  it('explain every problem code with its status, and no other', () => {
    const explained = [...read('docs/errors.md').matchAll(/^\| (\d{3}) +\| `(\w+)`/gm)].map(([, status, code]) => [
      code,
      Number(status),
    ]);
    expect(Object.fromEntries(explained)).toEqual(
      Object.fromEntries(Object.entries(PROBLEMS).map(([code, [status]]) => [code, status])),
    );
  });

  it('explain every setting with its default and allowed values, and no other', () => {
    const rows = [...read('docs/configuration.md').matchAll(/^\| (`[A-Z][^|]+) \| ([^|]+) \| (.+) \|$/gm)].flatMap(
      ([, names = '', byDefault = '', meaning = '']) =>
        [...names.matchAll(/`(\w+)`/g)].map(
          ([, name = '']) => [name, { byDefault: byDefault.trim(), meaning }] as const,
        ),
    );
    expect(rows.map(([name]) => name).sort()).toEqual(Object.keys(settings).sort());
    for (const [name, { byDefault, meaning }] of rows) {
      const { default: value, enum: choices = [] } = settings[name] ?? {};
      // Defaults are formatted as code; without a default, words describe what happens if the setting is missing.
      if (value === undefined) expect(byDefault, name).toMatch(/^[a-z]/);
      else expect(byDefault, name).toBe(`\`${value}\``);
      for (const choice of choices) expect(meaning, name).toContain(`\`${choice}\``);
    }
  });

  it('name only metrics and log messages that are in the code', () => {
    const code = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
      .map((name) => read(join('src', name)))
      .join('\n');
    const pages = ['docs/operations.md', 'docs/keys.md', 'docs/providers.md'].map(read).join('\n');
    // Several words formatted as code, except commands: a log message or a span.
    const words = [...pages.matchAll(/`((?!npm|docker|colloquy|node)[a-z]+(?: [a-z;,]+)+)`/g)].map(([, text]) => text);
    const metrics = [...pages.matchAll(/`(colloquy_[a-z_]+)(?=[`{])/g)].map(([, name]) => name);
    expect([words.length > 8, metrics.length > 15]).toEqual([true, true]);
    expect([...words, ...metrics].filter((text = '') => !code.includes(text))).toEqual([]);
  });

  it('link only to existing files', () => {
    const missing = documents.flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
        .map(([, link = '']) => relative(ROOT, resolve(ROOT, dirname(path), link)))
        .filter((target) => !existsSync(join(ROOT, target)))
        .map((target) => `${path} -> ${target}`),
    );
    expect(documents.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
  });

  it('link only to existing headings', () => {
    const links = documents.flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)].map(([, file = '', anchor = '']) => ({
        from: path,
        to: file === '' ? path : relative(ROOT, resolve(ROOT, dirname(path), file)),
        anchor,
      })),
    );
    const missing = links.filter(({ to, anchor }) => {
      const headings = [...read(to).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading));
      return !headings.includes(anchor);
    });
    expect(links.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
  });

  it('begin with a README that can be read in two minutes', () => {
    expect(Buffer.byteLength(read('README.md'))).toBeLessThan(6_000);
  });

  it('name only existing paths of the code', () => {
    const named = documents.flatMap((path) =>
      [...read(path).matchAll(/`((?:bin|src|test|workflows|activities|simulators|deploy)\/[\w./-]+)`/g)].map(
        ([, name = '']) => `${path}: ${name}`,
      ),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((entry) => !existsSync(join(ROOT, entry.split(': ')[1] ?? '')))).toEqual([]);
  });
});
