// The keystore is a database of its own: other connection string, other backups, other migrations.
import { DataSource } from 'typeorm';
import { CreateKeystore1795424400000 } from './migrations/1795424400000-create-keystore.js';
import { AddCondemnedKeys1795424400001 } from './migrations/1795424400001-add-condemned-keys.js';
import { CreateKeystoreRoles1795424400010 } from './migrations/1795424400010-create-keystore-roles.js';

const CONNECT_TIMEOUT_MS = 5_000;

/** What a process connects to the keystore as. */
export type KeystoreRole = 'colloquy_keystore_api' | 'colloquy_keystore_worker';

/** For migrations, and for asking which have run; keys are read and written through a pg pool (keystore.ts). */
export const keystoreDataSource = (url: string, role: KeystoreRole | 'owner' = 'owner'): DataSource =>
  new DataSource({
    type: 'postgres',
    url,
    entities: [],
    migrations: [CreateKeystore1795424400000, AddCondemnedKeys1795424400001, CreateKeystoreRoles1795424400010],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    installExtensions: false,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    extra: role === 'owner' ? {} : { options: `-c role=${role}` },
  });
