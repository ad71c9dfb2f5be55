// While processes of the previous version still run, the tables are those of the new one: migrations only add, and remove only what
// the previous release has stopped using.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const FOLDERS = ['src/database/migrations', 'src/database/search/migrations', 'src/vault/keystore/migrations'];
/** Statements that break code which does not expect them. */
const BREAKING = [
  /\bdrop (table|column)\b/i,
  /\brename\b/i,
  /\balter column \w+ (set data )?type\b/i,
  /\balter column \w+ set not null\b/i,
  /\badd column \w+ (?![^,;]*\bdefault\b)[^,;]*\bnot null\b/i,
];
/** Migrations that remove something, and the release that stopped using it. */
const CONTRACTS = new Map<string, string>();

const migrations = FOLDERS.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /^\d{13}-/.test(name))
    .map((name): [name: string, sql: string] => [name, readFileSync(`${folder}/${name}`, 'utf8')]),
);
/** Comments of SQL and of TypeScript do not count. */
const breaks = (sql: string): boolean => {
  const statements = sql.replaceAll(/(--|\/\/).*$/gm, '');
  return BREAKING.some((pattern) => pattern.test(statements));
};

describe('migrations', () => {
  it('break nothing of the previous version, unless it has stopped using what is removed', () => {
    expect(migrations.length).toBeGreaterThan(8);
    const breaking = migrations.filter(([, sql]) => breaks(sql)).map(([name]) => name);
    expect(breaking).toEqual([...CONTRACTS.keys()]);
  });

  it.each([
    ['alter table a drop column b', true],
    ['alter table a rename column b to c', true],
    ['alter table a alter column b type bigint', true],
    ['alter table a add column b text not null', true],
    ["alter table a add column b text not null default ''", false],
    ["alter table a add column b text not null default '', add column c text not null", true],
    ['alter table a add column b text', false],
    ['-- drop table a', false],
  ])('%s: %s', (sql, expected) => {
    expect(breaks(sql)).toBe(expected);
  });
});
