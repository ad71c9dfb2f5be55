import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DATA_CLASSES, type ByClass } from '../common/data-class.js';
import { joinDocument, splitDocument } from './document-parts.js';
import type { Json } from './provider-fact.js';
import type { DocumentClasses } from './provider.js';

/** Few names, so that documents and paths meet; some that objects have of themselves. */
const names = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', '7');
const documents = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Json>(null, 1, 'text', true),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(names, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries) as Json),
  ),
})).value;
const paths = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));
const classes: fc.Arbitrary<DocumentClasses> = fc
  .uniqueArray(fc.tuple(paths, fc.constantFrom(...DATA_CLASSES)), { maxLength: 8, selector: ([path]) => path })
  .map((declared) =>
    Object.fromEntries(
      DATA_CLASSES.map((name) => [name, declared.filter(([, its]) => its === name).map(([path]) => path)]),
    ),
  );

/** Every value that holds no other, with its path. */
function leaves(value: Json, path: string[] = []): string[] {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0)
    return [JSON.stringify([path, value])];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

describe('splitDocument', () => {
  it('gives parts of which the whole is made again, for any document and any paths', () => {
    fc.assert(
      fc.property(documents, classes, (document, declared) => {
        // Not by vitest: a member called `constructor` confuses it.
        expect(isDeepStrictEqual(joinDocument(splitDocument(document, declared)), document)).toBe(true);
      }),
    );
  });

  it('puts every value into exactly one part, at its own path', () => {
    const notInLists = documents.filter((document) => !JSON.stringify(document).includes('['));
    fc.assert(
      fc.property(notInLists, classes, (document, declared) => {
        const parts = Object.values(splitDocument(document, declared));
        expect(parts.flatMap((part) => leaves(part)).toSorted()).toEqual(leaves(document).toSorted());
      }),
    );
  });

  it('leaves no part out by mistake: without one, exactly its values are missing', () => {
    fc.assert(
      fc.property(documents, classes, fc.constantFrom(...DATA_CLASSES), (document, declared, erased) => {
        const { [erased]: gone, ...kept } = splitDocument(document, declared);
        const rest = joinDocument(kept as ByClass<Json>);
        const left = new Set(rest === undefined ? [] : leaves(rest));
        for (const leaf of gone === undefined ? [] : leaves(gone)) expect(left).not.toContain(leaf);
      }),
    );
  });

  const DECLARED: DocumentClasses = { record: ['id', 'meta', 'x.y'], analysis: ['meta.verdict'], audio: ['meta.url'] };

  it.each<[string, Json, ByClass<Json>]>([
    ['what is not declared is words', { id: 1, said: 'x' }, { record: { id: 1 }, transcript: { said: 'x' } }],
    [
      'a longer path goes before a shorter one',
      { meta: { a: 1, verdict: 'good', url: 'u' } },
      { record: { meta: { a: 1 } }, analysis: { meta: { verdict: 'good' } }, audio: { meta: { url: 'u' } } },
    ],
    [
      'what is beside a declared path is not covered by it',
      { x: { y: 1, z: 2 } },
      { record: { x: { y: 1 } }, transcript: { x: { z: 2 } } },
    ],
    [
      'a list is one value',
      { meta: [{ verdict: 'good' }], x: [1] },
      { record: { meta: [{ verdict: 'good' }] }, transcript: { x: [1] } },
    ],
    ['an empty map stays', { meta: {}, x: {} }, { record: { meta: {} }, transcript: { x: {} } }],
    [
      'a text instead of a map is of the class of its path',
      { meta: 'm', x: 'x' },
      { record: { meta: 'm' }, transcript: { x: 'x' } },
    ],
    ['what is no map at all is words', 'text', { transcript: 'text' }],
  ])('%s', (_, document, parts) => {
    expect(splitDocument(document, DECLARED)).toStrictEqual(parts);
    expect(joinDocument(parts)).toStrictEqual(document);
  });

  it('makes nothing of no parts', () => {
    expect(joinDocument({})).toBeUndefined();
  });
});
