import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '../../config/config.module.js';
import { required, type Config } from '../../config/config.js';
import { searchDataSource, type SearchRole } from './search-data-source.js';
import { SearchDatabase } from './search-database.js';

const POOL_SIZE: Record<SearchRole, number> = { colloquy_search_api: 10, colloquy_search_worker: 4 };

@Module({})
export class SearchDatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(SearchDatabase) private readonly database: SearchDatabase) {}

  /** {@link SearchDatabase}, in the role of the process. It connects at the first use. */
  static as(role: SearchRole): DynamicModule {
    const open = ({ searchDatabaseUrl }: Config): SearchDatabase => {
      const url = required(searchDatabaseUrl, 'SEARCH_DATABASE_URL');
      return new SearchDatabase(searchDataSource({ url, role, poolSize: POOL_SIZE[role] }));
    };
    return {
      module: SearchDatabaseModule,
      global: true,
      providers: [{ provide: SearchDatabase, inject: [CONFIG], useFactory: open }],
      exports: [SearchDatabase],
    };
  }

  onApplicationShutdown(): Promise<void> {
    return this.database.close();
  }
}
