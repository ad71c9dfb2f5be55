// docker-compose.yml, the Dockerfile and .env.example agree with each other and with the build.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { LOGINS } from '../../src/database/logins.js';

interface Service {
  image: string;
  command?: string[];
  ports?: string[];
  expose?: string[];
  profiles?: string[];
  restart?: string;
  stop_grace_period?: string;
  secrets?: string[];
  volumes?: string[];
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string>;
  read_only?: boolean;
  tmpfs?: string[];
  cap_drop?: string[];
  security_opt?: string[];
  mem_limit?: string;
  pids_limit?: number;
}

const ROOT = join(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const text = read('docker-compose.yml');
const { services, volumes } = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
};
const all = Object.entries(services);
const isOneShot = ({ restart }: Service): boolean => restart?.startsWith('on-failure') ?? false;
/** dist/src/x.js → the source file that it is compiled from. */
const sourceOf = (path: string): string => join(ROOT, path.replace(/^dist\//, '').replace(/\.js$/, '.ts'));

describe('docker-compose.yml', () => {
  it('has a health check for every service, except one-shots and the worker, which has no port', () => {
    const silent = all.filter(([, { healthcheck }]) => healthcheck?.test === undefined).map(([name]) => name);
    const oneShots = all.filter(([, service]) => isOneShot(service)).map(([name]) => name);
    expect(silent.sort()).toEqual([...oneShots, 'worker'].sort());
  });

  it('publishes only the API; every other port is bound to localhost', () => {
    const published = all.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port] as const));
    expect(published.length).toBeGreaterThan(1);
    for (const [name, port] of published) {
      if (name === 'api') expect(port).toBe('0.0.0.0:${PORT:-3000}:3000');
      else expect(port, name).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    }
  });

  it('pins every image', () => {
    for (const [name, { image }] of all) expect(image, name).toMatch(/^[\w./-]+:v?\d+\.\d+[\w.-]*$/);
    for (const [, image] of read('Dockerfile').matchAll(/^FROM (\S+)/gm)) expect(image).toMatch(/:\d+\.\d+\.\d+-/);
  });

  it('has every variable explained in .env.example, and no other', () => {
    const used = new Set([...text.matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name]) => name));
    const explained = new Set([...read('.env.example').matchAll(/^(\w+)=/gm)].map(([, name]) => name));
    expect(used.size).toBeGreaterThan(5);
    expect(explained).toEqual(used);
  });

  it('contains no secret: missing passwords and keys prevent the start', () => {
    for (const [name, { environment = {} }] of all) {
      for (const [key, value] of Object.entries(environment)) {
        if (/PASSWORD|PWD|SECRET|_KEY/.test(key) && !value.startsWith('file:'))
          expect(value, `${name} ${key}`).toMatch(/^\$\{\w+:[?-]\}$/);
        if (value.includes('://') && value.includes('@')) expect(value, `${name} ${key}`).toMatch(/:\$\{\w+:\?\}@/);
      }
    }
  });

  it('runs only commands that the build produces', () => {
    const own = all.filter(([, { image }]) => image.startsWith('colloquy:'));
    expect(own.map(([name]) => name).sort()).toEqual(['api', 'migrate', 'worker']);
    for (const [name, { command }] of own) expect(existsSync(sourceOf(command?.[0] ?? '')), name).toBe(true);
    expect(read('Dockerfile')).toContain('CMD ["dist/src/main.js"]');
  });

  it('waits until dependencies are healthy, or completed if they are one-shots', () => {
    for (const [name, { depends_on = {} }] of all) {
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        const service = services[needed];
        expect(service, `${name} needs ${needed}`).toBeDefined();
        const wanted = service && isOneShot(service) ? 'service_completed_successfully' : 'service_healthy';
        expect(condition, `${name} needs ${needed}`).toBe(wanted);
      }
    }
  });

  it('gives API and worker the same recordings, the root key as a file, and time to stop', () => {
    for (const name of ['api', 'worker']) {
      expect(services[name]?.volumes).toContain('recordings:/data/recordings');
      expect(services[name]?.environment?.['OBJECT_STORE_URL']).toBe('${OBJECT_STORE_URL:-file:/data/recordings}');
      expect(services[name]?.secrets).toEqual(['root-key']);
      expect(services[name]?.environment?.['COLLOQUY_ROOT_KEY']).toBe('file:/run/secrets/root-key');
      expect(Number.parseInt(services[name]?.stop_grace_period ?? '0', 10)).toBeGreaterThan(10);
    }
  });

  it('gives the migration the databases, but nothing that decrypts their content', () => {
    const { secrets, volumes, environment = {} } = services['migrate'] ?? {};
    expect([secrets, volumes]).toEqual([[], []]);
    expect(Object.keys(environment).sort()).toEqual([
      ...['COLLOQUY_API_LOGIN_PASSWORD', 'COLLOQUY_WORKER_LOGIN_PASSWORD', 'DATABASE_URL', 'KEYSTORE_DATABASE_URL'],
      'SEARCH_DATABASE_URL',
    ]);
  });

  it('limits privileges, memory and processes of every container', () => {
    for (const [name, service] of all) {
      expect(service.cap_drop, name).toEqual(['ALL']);
      expect(service.security_opt, name).toEqual(['no-new-privileges:true']);
      expect(service.mem_limit, name).toMatch(/^\d+[mg]$/);
      expect(service.pids_limit, name).toBeGreaterThan(0);
      if (/^(colloquy|postgres):/.test(service.image))
        expect([service.read_only, service.tmpfs?.[0]], name).toEqual([true, '/tmp']);
    }
    expect(read('Dockerfile')).toMatch(/^USER 1000:1000$/m);
  });

  it('gives each process its own login, and the owner login only to the migration', () => {
    const loginsOf = (name: string): string[] =>
      ['DATABASE_URL', 'KEYSTORE_DATABASE_URL', 'SEARCH_DATABASE_URL'].map((setting) => {
        const [, login = ''] = /^postgres:\/\/(\w+):/.exec(services[name]?.environment?.[setting] ?? '') ?? [];
        return login;
      });
    expect(loginsOf('api')).toEqual([LOGINS.api, LOGINS.api, LOGINS.api]);
    expect(loginsOf('worker')).toEqual([LOGINS.worker, LOGINS.worker, LOGINS.worker]);
    // deploy/postgres/owner.sql names owners after their databases.
    expect(loginsOf('migrate')).toEqual(['colloquy', 'keystore', 'search']);
    for (const name of ['content-db', 'keystore-db', 'search-db']) {
      expect(services[name]?.environment?.['POSTGRES_USER']).toBe('postgres');
      expect(services[name]?.volumes).toContain('./deploy/postgres/owner.sql:/docker-entrypoint-initdb.d/owner.sql:ro');
    }
  });

  it('exposes metrics of API and worker only inside its network', () => {
    for (const [name, setting] of [
      ['api', 'COLLOQUY_METRICS_PORT'],
      ['worker', 'COLLOQUY_WORKER_METRICS_PORT'],
    ] as const) {
      const port = services[name]?.environment?.[setting];
      expect(Number(port)).toBeGreaterThan(0);
      expect(services[name]?.expose).toEqual([port]);
      expect(services[name]?.ports?.join() ?? '').not.toContain(port);
      expect(read('docs/operations.md')).toContain(`http://${name}:${port}/metrics`);
    }
  });

  it('keeps content, keys, look-ups and Temporal on separate clusters, each on its own volume', () => {
    const clusters = all.filter(([, { image }]) => image.startsWith('postgres:18'));
    expect(clusters.map(([name]) => name).sort()).toEqual(['content-db', 'keystore-db', 'search-db', 'temporal-db']);
    for (const [name, service] of clusters) expect(service.volumes).toContain(`${name}:/var/lib/postgresql`);
    for (const [name] of clusters) expect(volumes).toHaveProperty(name);
  });
});
