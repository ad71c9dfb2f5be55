// The Node process that bare/insert.ts uses if pgbench is not installed.
import { Client } from 'pg';
import { servePart } from '../part.js';

export interface InsertsPlan {
  url: string;
  body: string;
  connections: number;
  count: number;
}

servePart(async ({ url, body, connections, count }: InsertsPlan) => {
  const clients = Array.from({ length: connections }, () => new Client({ connectionString: url }));
  await Promise.all(clients.map((client) => client.connect()));
  const go = async (): Promise<{ perSecond: number }> => {
    let left = count;
    const lane = async (client: Client): Promise<void> => {
      while (left-- > 0)
        await client.query({ name: 'insert', text: 'insert into bare (body) values ($1)', values: [body] });
    };
    const from = performance.now();
    await Promise.all(clients.map(lane));
    const perSecond = (count * 1000) / (performance.now() - from);
    await Promise.all(clients.map((client) => client.end()));
    return { perSecond };
  };
  return { ready: null, go };
});
