// Opens the store of recordings that the settings name. One line per driver.
import type { Config } from '../config/config.js';
import { FolderStore } from './folder-store.js';
import type { ObjectStore } from './object-store.js';

/** Connects to nothing yet: an unavailable store shows when it is used. */
export async function openObjectStore({ objectStore: place }: Pick<Config, 'objectStore'>): Promise<ObjectStore> {
  if (place.kind === 'folder') return new FolderStore(place.folder);
  // Loading the SDK costs half a second and 40 MB, which an installation with a folder does not pay.
  const { S3Store } = await import('./s3-store.js');
  return new S3Store(place);
}
