// A worker's parts without its loops: tests decide when facts are applied and when recordings are fetched.
import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Log } from '../../src/common/log.js';
import { Lifecycle } from '../../src/lifecycle/conversation-lifecycle.js';
import { snapshotReader } from '../../src/lifecycle/conversation-snapshot.js';
import { createDataSource } from '../../src/database/data-source.js';
import { WorkerDatabase } from '../../src/database/database.js';
import { Notifier } from '../../src/database/notifier.js';
import { Inbox } from '../../src/inbox/inbox.js';
import { openEgress } from '../../src/egress/open-egress.js';
import { FactWriter } from '../../src/intake/fact-writer.js';
import { Intake } from '../../src/intake/intake.js';
import { openGateway } from '../../src/providers/gateway/open-gateway.js';
import { ProviderAccounts } from '../../src/providers/provider-accounts.js';
import { OrphanedObjects } from '../../src/recordings/orphaned-objects.js';
import { openObjectStore } from '../../src/object-store/open-object-store.js';
import { RecordingFetcher } from '../../src/lifecycle/recording-fetcher.js';
import { RecordingStore } from '../../src/recordings/recording-store.js';
import type { Installation } from '../support/installation.js';

/** `now`: the clock that deadlines are held against, epoch milliseconds. */
export async function openWorkshop({ config, vault }: Installation, now = (): number => Date.now()) {
  const url = config.databaseUrl ?? '';
  const database = new WorkerDatabase(createDataSource({ url, role: 'colloquy_worker', poolSize: 8 }));
  await database.dataSource.initialize();
  const objects = await openObjectStore(config);
  const orphaned = new OrphanedObjects(database, objects);
  const store = new RecordingStore(objects, (ref) => orphaned.announce(ref));
  const [accounts, notifier, log] = [new ProviderAccounts(database, vault), new Notifier(database), new Log('silent')];
  const storeAudio: ConstructorParameters<typeof Intake>[0]['storeAudio'] = (ref, key, bytes) =>
    store.writeBytes(ref, key, bytes);
  const intake = new Intake({ database, vault, accounts, notifier, log, storeAudio });
  const inbox = new Inbox(database, vault, notifier);
  const facts = new FactWriter(inbox, intake);
  const read = snapshotReader({ database, vault, accounts });
  const gateway = openGateway({ database, log, egress: openEgress(config), requestRate: config.providerRate });
  const reading = { read, facts, gateway, now };
  const lifecycle = new Lifecycle(reading);
  const fetcher = new RecordingFetcher({ ...reading, lifecycle, vault, store });
  return {
    database,
    objects,
    orphaned,
    store,
    intake,
    inbox,
    facts,
    read,
    lifecycle,
    fetcher,
    close: () => database.close(),
  };
}

export interface PatientHost {
  url: string;
  /** Resolves when so many have asked. */
  asked(count: number): boolean;
  /** Gives the nth to ask its content. */
  answer(nth: number, content: Buffer): void;
  close(): Promise<void>;
}

/** A host of recordings that answers each request with what, and when, the test says. */
export async function startPatientHost(): Promise<PatientHost> {
  const waiting: ServerResponse[] = [];
  const server = createServer((_, response) => void waiting.push(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/recording.wav`,
    asked: (count) => waiting.length >= count,
    answer: (nth, content) =>
      void waiting[nth]?.writeHead(200, { 'content-type': 'audio/wav', 'content-length': content.length }).end(content),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
