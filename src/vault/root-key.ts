// The root key, which wraps the key-encryption keys of all clients: the interface of its drivers, and the file driver.
import { constants } from 'node:fs';
import { link, mkdir, open as openFile, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomUUID } from 'node:crypto';
import { DataKey, KEY_BYTES } from './data-key.js';
import { VaultError } from './errors.js';
import { open, seal } from './sealing/sealing.js';

/** Client and 28-day epoch of a key-encryption key; bound into its wrapping. */
export interface KekId {
  clientId: string;
  epoch: number;
}

/** A driver. Asynchronous, because AWS KMS and Vault Transit are network services. */
export interface RootKey {
  /** Its name in messages to operators, such as "Root key file /…"; sentences begin with it. */
  readonly name: string;
  wrap(kek: DataKey, id: KekId): Promise<Buffer>;
  /** Throws {@link VaultError} `open_failed` if this is not the root key, or `id` not the id it was wrapped for. */
  unwrap(wrapped: Buffer, id: KekId): Promise<DataKey>;
  close(): void;
}

const purposeOf = (id: KekId): string => `kek|${id.clientId}|${id.epoch}`;

/** Context of an unwrapped key-encryption key. */
export const kekContext = (id: KekId): string => JSON.stringify(['kek', id.clientId, id.epoch]);

/** A root key held in memory. */
export class LocalRootKey implements RootKey {
  readonly name: string;
  readonly #key: DataKey;

  constructor(bytes: Uint8Array, name: string) {
    this.name = name;
    this.#key = new DataKey(bytes, 'root');
  }

  wrap(kek: DataKey, id: KekId): Promise<Buffer> {
    return Promise.resolve(kek.use((bytes) => seal(this.#key, purposeOf(id), bytes)));
  }

  async unwrap(wrapped: Buffer, id: KekId): Promise<DataKey> {
    const bytes = open(this.#key, purposeOf(id), wrapped);
    const kek = new DataKey(bytes, kekContext(id));
    bytes.fill(0);
    return kek;
  }

  close(): void {
    this.#key.wipe();
  }
}

/**
 * Reads the root key from a file: 32 bytes, raw or as 64 hex digits. Creates none, so that a mistyped path does not become a
 * second root key. Throws {@link VaultError} `root_key` with one sentence that says what to do.
 */
export async function fileRootKey(path: string, isKeystoreEmpty: () => Promise<boolean>): Promise<RootKey> {
  const found = await readKey(path);
  if (found !== null) return found;
  const what = (await isKeystoreEmpty())
    ? 'is missing: create one for a new installation with "colloquy keys init", or correct COLLOQUY_ROOT_KEY'
    : 'is missing but the keystore already holds keys wrapped by it: restore the file from its backup';
  throw new VaultError('root_key', `Root key file ${path} ${what}`);
}

async function readKey(path: string): Promise<RootKey | null> {
  const file = await openIfPresent(path);
  if (file === null) return null;
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new VaultError('root_key', `Root key file ${path} is not a file`);
    const tooPermissive = permissionProblem(found, process.geteuid?.());
    if (tooPermissive !== null) throw new VaultError('root_key', `Root key file ${path} is ${tooPermissive}`);
    const content = await file.readFile();
    const key = new LocalRootKey(parseKey(content, path), `Root key file ${path}`);
    content.fill(0);
    return key;
  } finally {
    await file.close();
  }
}

/**
 * What is wrong with a file's mode; null: nothing. Only its owner may read it; if that is another user, as with a secret mounted
 * by an orchestrator, also the group through which we read it. `processUid`: the effective user of this process.
 */
export function permissionProblem(
  { mode, uid }: { mode: number; uid: number },
  processUid: number | undefined,
): string | null {
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  if (uid === processUid) return (mode & 0o077) === 0 ? null : `open to group or others (mode ${shown}): chmod 600 it`;
  return (mode & 0o037) === 0 ? null : `open to others, or to be written by its group (mode ${shown}): chmod 440 it`;
}

async function openIfPresent(path: string): Promise<FileHandle | null> {
  try {
    return await openFile(path, constants.O_RDONLY);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new VaultError('root_key', `Root key file ${path} cannot be read`, error);
  }
}

function parseKey(content: Buffer, path: string): Buffer {
  if (content.length === KEY_BYTES) return content;
  const text = content.toString('latin1').trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  throw new VaultError('root_key', `Root key file ${path} holds neither ${KEY_BYTES} bytes nor 64 hex digits`);
}

/**
 * Creates a root key file that only its owner can read. Written to a temporary file, synced, then linked: the name appears with
 * its whole content or not at all. Throws {@link VaultError} `root_key` if there is one already, and leaves it unchanged.
 */
export async function createRootKey(path: string): Promise<void> {
  const folder = dirname(path);
  const draft = `${path}.${randomUUID()}`;
  const hex = DataKey.random('root').use((bytes) => bytes.toString('hex'));
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(draft, `${hex}\n`, { flag: 'wx', mode: 0o600, flush: true });
    await link(draft, path);
    await syncFolder(folder);
  } catch (error) {
    const what = codeOf(error) === 'EEXIST' ? 'exists already and was left unchanged' : 'cannot be created';
    throw new VaultError('root_key', `Root key file ${path} ${what}`, error);
  } finally {
    await rm(draft, { force: true });
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await openFile(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
