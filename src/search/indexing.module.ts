// The worker's side of search: keeps the index up to date.
import { Module } from '@nestjs/common';
import { IndexDocuments } from './index-documents.js';
import { IndexWriter } from './index-writer.js';
import { Indexer } from './indexer.js';
import { SearchTodos } from './search-todos.js';

@Module({ providers: [SearchTodos, IndexDocuments, IndexWriter, Indexer], exports: [Indexer] })
export class IndexingModule {}
