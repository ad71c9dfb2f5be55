// The keystore is a separate database, with its own connection string, backups and migrations.
import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { Naming } from '../../database/naming.js';
import { ConversationKeysEntity, MarkedKeysEntity } from './entities/conversation-keys.entity.js';
import { DataKeyEntity } from './entities/data-key.entity.js';
import { KekEntity } from './entities/kek.entity.js';
import { CreateKeystore1800000000000 } from './migrations/1800000000000-create-keystore.js';
import { CreateKeystoreRoles1800000000001 } from './migrations/1800000000001-create-keystore-roles.js';

const CONNECT_TIMEOUT_MS = 5_000;

/** Role in which a process uses the keystore. */
export type KeystoreRole = 'colloquy_keystore_api' | 'colloquy_keystore_worker';

/**
 * For migrations, to check which have run, and as the declaration of the tables (test/database/drift.spec.ts). Keys are read and
 * written through a pg pool (keystore.ts).
 */
export const keystoreDataSource = (url: string, role: KeystoreRole | 'owner' = 'owner'): DataSource =>
  new DataSource({
    type: 'postgres',
    url,
    entities: [KekEntity, DataKeyEntity, ConversationKeysEntity, MarkedKeysEntity],
    namingStrategy: new Naming(),
    migrations: [CreateKeystore1800000000000, CreateKeystoreRoles1800000000001],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    installExtensions: false,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    extra: role === 'owner' ? {} : { options: `-c role=${role}` },
  });
