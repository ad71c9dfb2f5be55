// A provider's document in parts, one for each class of data, so that each can be sealed and erased by itself. Pure.
import { DATA_CLASSES, type ByClass, type DataClass } from '../common/data-class.js';
import type { Json } from './provider-fact.js';
import type { DocumentClasses } from './provider.js';

/** What no path covers may be words. */
const UNDECLARED: DataClass = 'transcript';

/** The declared paths as a tree. */
interface Place {
  dataClass?: DataClass;
  members: Map<string, Place>;
}

const trees = new WeakMap<DocumentClasses, Place>();

/**
 * The parts of a document: each value below it is in exactly one, at its own path. {@link joinDocument} makes the whole of
 * them again.
 */
export const splitDocument = (document: Json, classes: DocumentClasses): ByClass<Json> =>
  split(document, treeOf(classes), UNDECLARED);

/** The document that these are parts of; undefined if there are none. Without what absent parts hold. */
export function joinDocument(parts: ByClass<Json>): Json | undefined {
  const present = DATA_CLASSES.map((dataClass) => parts[dataClass]).filter((part) => part !== undefined);
  return present.length === 0 ? undefined : present.reduce(joined);
}

function split(value: Json, place: Place | undefined, inherited: DataClass): ByClass<Json> {
  const own = place?.dataClass ?? inherited;
  // Lists are never taken apart: the place of an item tells something.
  if (place === undefined || place.members.size === 0 || !isMap(value)) return { [own]: value };
  const entries = Object.entries(value);
  if (entries.length === 0) return { [own]: value };
  const parts: ByClass<[string, Json][]> = {};
  for (const [name, inner] of entries) {
    const below = split(inner, place.members.get(name), own);
    for (const dataClass of DATA_CLASSES) {
      const part = below[dataClass];
      if (part !== undefined) (parts[dataClass] ??= []).push([name, part]);
    }
  }
  return Object.fromEntries(
    Object.entries(parts).map(([dataClass, members]) => [dataClass, Object.fromEntries(members)]),
  );
}

/** Two parts of one value: both are maps, since nothing else is taken apart. */
function joined(one: Json, other: Json): Json {
  if (!isMap(one) || !isMap(other)) throw new TypeError('these are not parts of one document');
  const members = new Map(Object.entries(one));
  for (const [name, value] of Object.entries(other)) {
    const before = members.get(name);
    members.set(name, before === undefined ? value : joined(before, value));
  }
  return Object.fromEntries(members);
}

function treeOf(classes: DocumentClasses): Place {
  const known = trees.get(classes);
  if (known !== undefined) return known;
  const root: Place = { members: new Map() };
  for (const dataClass of DATA_CLASSES) {
    for (const path of classes[dataClass] ?? []) placeAt(root, path.split('.')).dataClass = dataClass;
  }
  trees.set(classes, root);
  return root;
}

function placeAt(root: Place, names: string[]): Place {
  let place = root;
  for (const name of names) {
    const next = place.members.get(name) ?? { members: new Map() };
    place.members.set(name, next);
    place = next;
  }
  return place;
}

const isMap = (value: Json): value is { [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
