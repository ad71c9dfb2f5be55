// Removes what must not be stored of a document: credentials of tools, prompts, variables meant for headers. Pure.
import type { Json } from '../provider-fact.js';
import { withoutMembers } from '../provider-mapping.js';

const SECRETS = new Set(['tool_details', 'custom_llm_extra_body', 'conversation_config_override']);

/** Names of dynamic variables that are credentials. */
export const isSecretVariable = (name: string): boolean => name.startsWith('secret__');

/** The document without its secrets. */
export const withoutSecrets = (document: Json): Json =>
  withoutMembers(withoutSecretUpdates(document), (name) => SECRETS.has(name) || isSecretVariable(name));

/** Tools may set variables; each entry of `dynamic_variable_updates` contains the variable's name and values. */
function withoutSecretUpdates(value: Json): Json {
  if (Array.isArray(value)) return value.filter((entry) => !namesSecret(entry)).map(withoutSecretUpdates);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutSecretUpdates(inner)]));
}

const namesSecret = (value: Json): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  typeof value['variable_name'] === 'string' &&
  isSecretVariable(value['variable_name']);
