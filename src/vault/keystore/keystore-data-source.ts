// The keystore is a database of its own: other connection string, other backups, other migrations.
import { DataSource } from 'typeorm';
import { CreateKeystore1800000000000 } from './migrations/1800000000000-create-keystore.js';
import { CreateKeystoreRoles1800000000001 } from './migrations/1800000000001-create-keystore-roles.js';

const CONNECT_TIMEOUT_MS = 5_000;

/** What a process connects to the keystore as. */
export type KeystoreRole = 'colloquy_keystore_api' | 'colloquy_keystore_worker';

/** For migrations, and for asking which have run; keys are read and written through a pg pool (keystore.ts). */
export const keystoreDataSource = (url: string, role: KeystoreRole | 'owner' = 'owner'): DataSource =>
  new DataSource({
    type: 'postgres',
    url,
    entities: [],
    migrations: [CreateKeystore1800000000000, CreateKeystoreRoles1800000000001],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    installExtensions: false,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    extra: role === 'owner' ? {} : { options: `-c role=${role}` },
  });
