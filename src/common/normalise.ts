// One spelling for each value that is looked up by equality. The same rules when a value is indexed and when it is
// searched; a change here orphans every index row written before it.
import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** "Anonymous", "restricted", … in words, and the way carriers dial them on a keypad (+266696687 spells ANONYMOUS). */
const WITHHELD = new Set(
  (
    'anonymous,restricted,unknown,unavailable,blocked,private,withheld,no caller id,' +
    '+266696687,+7378742833,+8656696,+86282452253,+2562533'
  ).split(','),
);

/** The number in a SIP or tel URI, with or without display name and brackets; other text as it is. */
function userPart(text: string): string {
  const address = /<([^<>]*)>/.exec(text)?.[1] ?? text;
  const uri = /^\s*(?:sips?|tel):([^@;?]*)/i.exec(address);
  if (uri === null) return address.trim();
  const user = uri[1] ?? '';
  // A broken escape is left as it is: it parses as no number.
  return /%(?![0-9a-f]{2})/i.test(user) ? user : decodeUtf8(user).trim();
}

const decodeUtf8 = (escaped: string): string =>
  Buffer.from(
    escaped.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');

/**
 * E.164 of a phone number in any spelling, also out of a SIP or tel URI; an extension is dropped. `defaultRegion`
 * (ISO 3166-1 alpha-2) reads numbers without +. Null for withheld numbers, SIP users that are no number, short codes
 * and everything else that does not parse. Accepts what is possible in length, not only ranges known to be assigned:
 * new ranges come faster than releases of the metadata.
 */
export function normalisePhone(raw: string, defaultRegion?: string | null): string | null {
  const text = userPart(raw.normalize('NFKC'));
  if (WITHHELD.has(text.toLowerCase())) return null;
  const region = defaultRegion?.toUpperCase() ?? '';
  const number = parsePhoneNumberFromString(text, {
    ...(isSupportedCountry(region) ? { defaultCountry: region } : {}),
    extract: false,
  });
  return number?.isPossible() === true ? number.number : null;
}

/** The last four digits of an E.164 number. */
export const last4 = (e164: string): string => e164.slice(-4);

/** E-mail address: NFKC, lower-case, without outer space. Dots and plus tags stay. Null when it has no @ with text around. */
export function normaliseEmail(raw: string): string | null {
  const text = raw.normalize('NFKC').toLowerCase().normalize('NFKC').trim();
  return /^\S[^@]*@[^@]*\S$/.test(text) ? text : null;
}

/** User id of a client's own: NFKC, without outer space; case matters. Null when nothing is left. */
export function normaliseUserId(raw: string): string | null {
  const text = raw.normalize('NFKC').trim();
  return text === '' ? null : text;
}

/** Provider ids, tags, pairs: exactly as they came. Null when empty. */
export const normaliseOpaque = (raw: string): string | null => (raw === '' ? null : raw);
