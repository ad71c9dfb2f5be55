// Settings → the store of recordings. One line a driver.
import type { Config } from '../config/config.js';
import { FolderStore } from './folder-store.js';
import type { ObjectStore } from './object-store.js';

/** Opens nothing yet: a store that is away shows when it is used. */
export async function openObjectStore({ objectStore: place }: Pick<Config, 'objectStore'>): Promise<ObjectStore> {
  if (place.kind === 'folder') return new FolderStore(place.folder);
  // Half a second and 40 MB that an installation with a folder does not pay.
  const { S3Store } = await import('./s3-store.js');
  return new S3Store(place);
}
