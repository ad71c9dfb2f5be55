// What follows from a redirect. Pure.
import type { IncomingMessage } from 'node:http';
import type { Question } from './ask.js';
import { EgressRefusal } from './refusal.js';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** All that another origin is told. Credentials have many names. */
const HARMLESS = ['accept', 'accept-encoding', 'user-agent'];

/** Where an answer points to; null: it is no redirect. Throws {@link EgressRefusal} for what is no URL. */
export function targetOf({ statusCode = 0, headers }: IncomingMessage, from: URL): URL | null {
  if (!REDIRECTS.has(statusCode) || headers.location === undefined) return null;
  if (!URL.canParse(headers.location, from.href)) throw new EgressRefusal('redirect_not_allowed');
  return new URL(headers.location, from.href);
}

/** What the target is asked. Throws {@link EgressRefusal} when a body would have to be sent there. */
export function redirected(question: Question, from: URL, to: URL): Question {
  if (question.method !== 'GET') throw new EgressRefusal('redirect_not_allowed');
  if (from.origin === to.origin) return question;
  const headers = Object.entries(question.headers).filter(([name]) => HARMLESS.includes(name));
  return { ...question, headers: Object.fromEntries(headers) };
}
