// Normal forms of values that are looked up by equality. Indexing and searching use the same rules, so a change here breaks
// the look-up of every row indexed before it.
import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** Placeholders for withheld numbers: words, and words that carriers spell on a keypad (+266696687 is ANONYMOUS). */
const WITHHELD = new Set(
  (
    'anonymous,restricted,unknown,unavailable,blocked,private,withheld,no caller id,' +
    '+266696687,+7378742833,+8656696,+86282452253,+2562533'
  ).split(','),
);

/** The number in a SIP or tel URI, with or without display name and brackets; other text unchanged. */
function userPart(text: string): string {
  const address = /<([^<>]*)>/.exec(text)?.[1] ?? text;
  const uri = /^\s*(?:sips?|tel):([^@;?]*)/i.exec(address);
  if (uri === null) return address.trim();
  const user = uri[1] ?? '';
  // A broken escape stays: such text does not parse as a number.
  return /%(?![0-9a-f]{2})/i.test(user) ? user : decodeUtf8(user).trim();
}

const decodeUtf8 = (escaped: string): string =>
  Buffer.from(
    escaped.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');

/**
 * E.164 of a phone number in any format, also of a SIP or tel URI; extensions are dropped. `defaultRegion` (ISO 3166-1
 * alpha-2) applies to numbers without +. Null for withheld numbers, SIP users that are not a number, short codes and whatever
 * else does not parse. Checks only the length, not whether the range is assigned: new ranges appear faster than releases of
 * the metadata.
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

/** E-mail address: NFKC, lower case, trimmed. Dots and plus tags stay. Null unless it has one @ with text around it. */
export function normaliseEmail(raw: string): string | null {
  const text = raw.normalize('NFKC').toLowerCase().normalize('NFKC').trim();
  return /^\S[^@]*@[^@]*\S$/.test(text) ? text : null;
}

/** A client's own user id: NFKC, trimmed; case matters. Null if empty. */
export function normaliseUserId(raw: string): string | null {
  const text = raw.normalize('NFKC').trim();
  return text === '' ? null : text;
}

/** Provider ids, tags, pairs: unchanged. Null if empty. */
export const normaliseOpaque = (raw: string): string | null => (raw === '' ? null : raw);
