// The worker's part of search: keeps the index complete and up to date.
import { Module } from '@nestjs/common';
import { IndexDocuments } from './index-documents.js';
import { IndexWriter } from './index-writer.js';
import { Indexer } from './indexer.js';
import { Rebuild } from './rebuild.js';
import { RebuildStep } from './rebuild-step.js';
import { SearchState } from './search-state.js';
import { SearchTodos } from './search-todos.js';

@Module({
  providers: [SearchTodos, IndexDocuments, IndexWriter, Indexer, SearchState, RebuildStep, Rebuild],
  exports: [Indexer, Rebuild],
})
export class IndexingModule {}
