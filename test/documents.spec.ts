// What the documents say of the code is true of the code.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../src/common/errors.js';

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

  it('explain every setting, and no other', () => {
    const known = [...read('src/config/config.ts').matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(([, name]) => name);
    const section =
      read('README.md')
        .split(/^## /m)
        .find((part) => part.startsWith('Settings')) ?? '';
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    const explained = rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(known.length).toBeGreaterThan(15);
    expect(new Set(explained)).toEqual(new Set(known));
  });

  it('link to files that are there', () => {
    const missing = documents.flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
        .map(([, link = '']) => relative(ROOT, resolve(ROOT, dirname(path), link)))
        .filter((target) => !existsSync(join(ROOT, target)))
        .map((target) => `${path} -> ${target}`),
    );
    expect(documents.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
  });

  it('name paths of the code that are there', () => {
    const named = documents.flatMap((path) =>
      [...read(path).matchAll(/`((?:bin|src|test|workflows|activities|simulators|deploy)\/[\w./-]+)`/g)].map(
        ([, name = '']) => `${path}: ${name}`,
      ),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((entry) => !existsSync(join(ROOT, entry.split(': ')[1] ?? '')))).toEqual([]);
  });
});
