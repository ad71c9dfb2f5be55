// Searches files for byte sequences: raw, and in base64 at each of its three alignments.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Hit {
  file: string;
  canary: string;
  form: string;
}

interface Needle {
  canary: string;
  form: string;
  bytes: Buffer;
}

/** Base64 of `bytes` inside a longer text, at an offset of 0, 1 or 2 bytes, without the outer characters. */
function base64Forms(bytes: Buffer): Buffer[] {
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // Characters that also contain bits of the neighbouring bytes are unknown.
    const first = offset === 0 ? 0 : offset + 1;
    const whole = Math.floor(((offset + bytes.length) * 8) / 6);
    return Buffer.from(text.slice(first, whole));
  });
}

function needlesOf(canaries: Record<string, Buffer>): Needle[] {
  return Object.entries(canaries).flatMap(([canary, bytes]) => [
    { canary, form: 'raw', bytes },
    ...base64Forms(bytes).map((form, offset) => ({ canary, form: `base64+${offset}`, bytes: form })),
  ]);
}

/** Every file below `folder`, including hidden ones. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Finds canaries in these files. */
export function scanFiles(files: string[], canaries: Record<string, Buffer>): Hit[] {
  const needles = needlesOf(canaries);
  return files.flatMap((file) => {
    if (statSync(file).size === 0) return [];
    return scanBytes(file, readFileSync(file), needles);
  });
}

/** Finds canaries in a text that is not in a file. */
export const scanText = (name: string, text: string, canaries: Record<string, Buffer>): Hit[] =>
  scanBytes(name, Buffer.from(text), needlesOf(canaries));

const scanBytes = (file: string, content: Buffer, needles: Needle[]): Hit[] =>
  needles.filter(({ bytes }) => content.includes(bytes)).map(({ canary, form }) => ({ file, canary, form }));
