import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { code, flag, measure, oneOf, whole } from './plain-kinds.js';

describe('what is stored of a plain field', () => {
  it('is one of the listed values', () => {
    const { stored } = oneOf('inbound', 'outbound');
    expect(['inbound', 'sideways', ''].map((given) => stored(given as 'inbound'))).toEqual(['inbound', null, null]);
  });

  it('is a code that matches the pattern', () => {
    const { stored } = code(/^[a-z]{1,4}$/);
    expect(['abcd', 'abcde', 'a b', ''].map(stored)).toEqual(['abcd', null, null, null]);
  });

  it('is a whole number from 0 to the limit of the kind and of an integer column', () => {
    const { stored } = whole(10);
    expect([0, -0.4, 2.5, 10.4, 10.5, -1, Number.NaN].map(stored)).toEqual([0, 0, 3, 10, null, null, null]);
    expect([2 ** 31 - 1, 2 ** 31].map(whole(1e15).stored)).toEqual([2 ** 31 - 1, null]);
  });

  it('is a number within its limits', () => {
    const { stored } = measure(0, 1);
    expect([0, 0.25, 1, -0.1, 1.1, Number.NaN].map(stored)).toEqual([0, 0.25, 1, null, null, null]);
  });

  it('is true or false', () => {
    expect([true, false].map(flag().stored)).toEqual([true, false]);
  });
});

describe('what is shown of a plain field', () => {
  it.each([
    ['enum', oneOf('inbound', 'outbound'), 'string'],
    ['code', code(/^[a-z]{1,4}$/), 'string'],
    ['whole number', whole(10), 'integer'],
    ['measure', measure(0, 1), 'number'],
    ['flag', flag(), 'boolean'],
  ])('has the right type in the OpenAPI document: %s', (_, { shown }, type) => {
    expect(z.toJSONSchema(shown)).toMatchObject({ type });
  });
});
