import { DefaultNamingStrategy, type Table } from 'typeorm';

/** Readable names of primary keys; TypeORM's would be hashes. All other names are given where they are declared. */
export class Naming extends DefaultNamingStrategy {
  override primaryKeyName(table: Table | string): string {
    return `${this.getTableName(table)}_pkey`;
  }
}
