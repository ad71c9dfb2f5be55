import { DefaultNamingStrategy, type Table } from 'typeorm';

/** Names of primary keys, which TypeORM would make hashes. Whatever else has a name is given it where it is declared. */
export class Naming extends DefaultNamingStrategy {
  override primaryKeyName(table: Table | string): string {
    return `${this.getTableName(table)}_pkey`;
  }
}
