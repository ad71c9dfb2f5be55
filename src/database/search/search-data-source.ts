// The search database: look-ups by keyed hash. Everything in it can be made again from sealed content, so it is in no backup.
import type { DataSource } from 'typeorm';
import { postgresSource, type SourceOptions } from '../postgres-source.js';
import { BlindIndexEntity } from './entities/blind-index.entity.js';
import { IndexedConversationEntity } from './entities/indexed-conversation.entity.js';
import { SearchStateEntity } from './entities/search-state.entity.js';
import { CreateSearch1800000000000 } from './migrations/1800000000000-create-search.js';

export type SearchRole = 'colloquy_search_api' | 'colloquy_search_worker';

const ENTITIES = [BlindIndexEntity, IndexedConversationEntity, SearchStateEntity];
const MIGRATIONS = [CreateSearch1800000000000];

/** A DataSource whose connections work as `role`. Call `initialize()` before use. */
export const searchDataSource = (options: SourceOptions<SearchRole | 'owner'>): DataSource =>
  postgresSource({ ...options, entities: ENTITIES, migrations: MIGRATIONS });
