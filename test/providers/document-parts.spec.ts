// The documents of every registered provider in parts: the parts make the whole, and no part holds what belongs to another class.
import { describe, expect, it } from 'vitest';
import { DATA_CLASSES, mapParts } from '../../src/common/data-class.js';
import { joinDocument, splitDocument } from '../../src/providers/document-parts.js';
import type { Claims, Json } from '../../src/providers/provider-fact.js';
import { providerNamed, providerNames } from '../../src/providers/providers.js';
import { loadContract, type Said } from './contract.js';

const contracts = await Promise.all(providerNames().map(async (name) => [name, await loadContract(name)] as const));

describe.each(contracts)('the documents of %s', (name, contract) => {
  const provider = providerNamed(name);
  const fullest = Object.entries(contract.fullest);
  const claimsOf = (said: Said): Claims =>
    'record' in said ? provider.interpretRecord(said.record) : provider.interpretWebhook(said.webhook);
  const documents = [...fullest.map(([, { record }]) => ({ record })), ...contract.ends, ...contract.absences].map(
    (said) => claimsOf(said as Said),
  );
  const split = (record: Json) => splitDocument(record, provider.documentClasses);

  it('make the whole again', () => {
    for (const { record } of documents) {
      if (record !== null) expect(joinDocument(split(record))).toStrictEqual(record);
    }
  });

  it('have a part for each class that they say anything of, and no path in two classes', () => {
    for (const [kind, { record }] of fullest) {
      const parts = split(provider.interpretRecord(record).record);
      expect(Object.keys(parts), kind).toEqual(expect.arrayContaining(['record', 'transcript', 'analysis']));
    }
    const paths = DATA_CLASSES.flatMap((dataClass) => provider.documentClasses[dataClass] ?? []);
    expect(new Set(paths).size).toBe(paths.length);
  });

  it('show what was said, and what was made of it, in its own part alone', () => {
    for (const { record, transcript, fields } of documents) {
      const parts = mapParts(record === null ? {} : split(record), (part) => JSON.stringify(part));
      const words = (transcript?.turns ?? []).flatMap(({ text }) => (text === null ? [] : [text]));
      const made = [fields.title, fields.summary, fields.rationale].filter((text) => typeof text === 'string');
      for (const [texts, own] of [
        [words, 'transcript'],
        [made, 'analysis'],
      ] as const) {
        const others = DATA_CLASSES.filter((dataClass) => dataClass !== own).map((dataClass) => parts[dataClass] ?? '');
        for (const text of texts)
          expect(others.filter((part) => part.includes(JSON.stringify(text).slice(1, -1)))).toEqual([]);
      }
    }
  });

  it('have where a recording lies in the part of audio', () => {
    for (const { record, recordings } of documents) {
      const { audio, ...others } = record === null ? {} : split(record);
      for (const { source } of recordings.filter(({ source: where }) => where.includes('://'))) {
        expect(JSON.stringify(audio)).toContain(source);
        expect(JSON.stringify(others)).not.toContain(source);
      }
    }
  });
});
