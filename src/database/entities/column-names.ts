import { getMetadataArgsStorage } from 'typeorm';

/** Names of an entity's columns in the order of their declaration, for statements that are written by hand. */
export const columnNames = <Entity extends object>(entity: new () => Entity): (keyof Entity & string)[] =>
  getMetadataArgsStorage()
    .filterColumns(entity)
    .map(({ propertyName }) => propertyName as keyof Entity & string);
