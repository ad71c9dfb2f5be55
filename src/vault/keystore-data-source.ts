// The keystore is a database of its own: other connection string, other backups, other migrations.
import { DataSource } from 'typeorm';
import { CreateKeystore1795424400000 } from './migrations/1795424400000-create-keystore.js';
import { AddCondemnedKeys1795424400001 } from './migrations/1795424400001-add-condemned-keys.js';

/** For migrations only; keys are read and written through a pg pool (keystore.ts). The caller initialises and destroys it. */
export const keystoreDataSource = (url: string): DataSource =>
  new DataSource({
    type: 'postgres',
    url,
    entities: [],
    migrations: [CreateKeystore1795424400000, AddCondemnedKeys1795424400001],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    installExtensions: false,
  });
