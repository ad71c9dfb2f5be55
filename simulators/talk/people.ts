// The people in a simulated conversation: invented names, and phone numbers that are reserved for fiction.
import type { Random } from '../random.js';
import type { Slots } from './lines.js';
import type { Topic } from './topic.js';

const FIRST = [
  'Maya',
  'Elias',
  'Noor',
  'Tomás',
  'Greta',
  'Kofi',
  'Yuki',
  'Anneke',
  'Ravi',
  'Salome',
  'Piotr',
  'Leila',
  'Hugo',
  'Wren',
  'Marisol',
];
const LAST = [
  'Lindqvist',
  'Okonkwo',
  'Farrow',
  'Castellan',
  'Brandt',
  'Achterberg',
  'Delacroix',
  'Tanaka',
  'Whitlow',
  'Moreau',
  'Varga',
  'Sandoval',
];
const CITIES = ['Springfield', 'Fairview', 'Riverton', 'Ashford', 'Lakewood'];
const AREA_CODES = ['202', '206', '212', '305', '312', '415', '504', '617', '646', '718'];
const DATES = {
  en: ['the third', 'the twelfth', 'the twenty first'],
  es: ['sábado', 'viernes', 'martes'],
  de: ['Montag', 'Mittwoch', 'Freitag'],
  fr: ['3 mai', '12 juin', '21 juin'],
};

/** The languages that simulated people speak. */
export type Language = keyof typeof DATES;

/** The language of a tag such as `de-DE`; English for unknown ones. */
export function languageOf(tag: string): Language {
  const language = tag.slice(0, 2);
  return language === 'es' || language === 'de' || language === 'fr' ? language : 'en';
}

/** A phone number that is reserved for fiction: +1, an area code, 555-01xx. */
export function reservedNumber(random: Random): string {
  return `+1${random.pick(AREA_CODES)}55501${String(random.integer(7, 99)).padStart(2, '0')}`;
}

/** Names and details of one conversation, to fill the slots of its script. */
export function slotsOf(random: Random, language: Language, agentName: string, topic: Topic): Slots {
  const first = random.pick(FIRST);
  return {
    first,
    name: `${first} ${random.pick(LAST)}`,
    colleague: random.pick(FIRST),
    city: random.pick(CITIES),
    date: random.pick(DATES[language]),
    amount: `${random.integer(12, 290)}.${random.pick(['00', '50', '90'])}`,
    reference: String(random.integer(10_000, 99_999)),
    plan: random.pick(['gold', 'silver', 'basic']),
    agent: agentName,
    subject: topic.subject,
  };
}
