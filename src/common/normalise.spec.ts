import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { last4, normaliseEmail, normaliseOpaque, normalisePhone, normaliseUserId } from './normalise.js';

describe('normalisePhone', () => {
  it.each([
    ['+14155550123', null],
    ['+1 (415) 555-0123', null],
    ['(415) 555-0123', 'US'],
    ['14155550123', 'us'],
    ['001 415 555 0123', 'DE'],
    ['+1 415 555 0123 ext. 7', null],
    ['sip:+14155550123@sip.example.com;user=phone', null],
    ['SIPS:%2B14155550123@sip.example.com:5061', null],
    ['"A B" <sip:+14155550123;tgrp=x@10.0.0.1>;tag=9', null],
    ['tel:+1-415-555-0123', null],
    ['sip:4155550123@pbx.example.com', 'US'],
    ['＋１４１５５５５０１２３', null],
  ])('reads %s (region %s)', (raw, region) => expect(normalisePhone(raw, region)).toBe('+14155550123'));

  it.each([
    '',
    ' ',
    'anonymous',
    'Anonymous',
    'Restricted',
    'unknown',
    'sip:anonymous@anonymous.invalid',
    '+266696687',
  ])('gives null for the withheld number %j', (raw) => expect(normalisePhone(raw, 'US')).toBeNull());

  it.each([
    'sip:alice@example.com',
    'client:alice',
    'agent_1f3c',
    '911',
    '+1',
    'sip:%zz@example.com',
    'call +14155550123 now',
  ])('gives null for %j, which is no number', (raw) => expect(normalisePhone(raw, 'US')).toBeNull());

  it('gives null without + and without a known region', () => {
    for (const region of [undefined, null, '', 'XX']) expect(normalisePhone('4155550123', region)).toBeNull();
  });

  it('never throws, and a second time changes nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[+0-9 ()-]{5,18}$/)), (raw) => {
        const once = normalisePhone(raw, 'DE');
        if (once !== null) expect(normalisePhone(once)).toBe(once);
      }),
    );
  });

  it('gives the last four digits', () => expect(last4('+14155550123')).toBe('0123'));
});

describe('normaliseEmail', () => {
  it('folds case, width and outer space, and keeps dots and tags', () => {
    expect(normaliseEmail(' Ana.B+x@Example.COM ')).toBe('ana.b+x@example.com');
    expect(normaliseEmail('ａｎａ@example.com')).toBe('ana@example.com');
  });

  it.each(['', 'ana', '@example.com', 'ana@', 'a@b@c'])('gives null for %j', (raw) =>
    expect(normaliseEmail(raw)).toBeNull(),
  );

  it('changes nothing a second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (user, host) => {
        const once = normaliseEmail(`${user}@${host}`);
        if (once !== null) expect(normaliseEmail(once)).toBe(once);
      }),
    );
  });
});

describe('normaliseUserId and normaliseOpaque', () => {
  it('keep case and drop outer space of user ids only', () => {
    expect(normaliseUserId(' Ab-1 ')).toBe('Ab-1');
    expect(normaliseUserId('Ⅳ')).toBe('IV');
    expect(normaliseUserId('  ')).toBeNull();
    expect(normaliseOpaque(' Ab-1 ')).toBe(' Ab-1 ');
    expect(normaliseOpaque('')).toBeNull();
  });
});
