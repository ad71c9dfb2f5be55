import { getMetadataArgsStorage } from 'typeorm';

/** The column names of an entity in the order of declaration, for hand-written SQL. */
export const columnNames = <Entity extends object>(entity: new () => Entity): (keyof Entity & string)[] =>
  getMetadataArgsStorage()
    .filterColumns(entity)
    .map(({ propertyName }) => propertyName as keyof Entity & string);
