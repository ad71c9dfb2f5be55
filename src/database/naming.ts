import { DefaultNamingStrategy, type Table } from 'typeorm';

/** Readable names for primary keys, which TypeORM would name by a hash. All other names are declared in the entities. */
export class Naming extends DefaultNamingStrategy {
  override primaryKeyName(table: Table | string): string {
    return `${this.getTableName(table)}_pkey`;
  }
}
