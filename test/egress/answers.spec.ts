// Limits on responses: redirects, size, silence.
import type { IncomingMessage, RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { EgressLimits } from '../../src/egress/limits.js';
import { refusalIn } from '../../src/egress/refusal.js';
import { providerApi } from '../../src/providers/provider-apis.js';
import { egressTo } from '../support/egress.js';
import { bomb, growth, send, startHost, type Host } from './hosts.js';

const MIB = 1_048_576;
const JSON_TYPE = { 'content-type': 'application/json' };
const hosts: Host[] = [];

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

async function host(answer: RequestListener): Promise<Host> {
  const started = await startHost(answer);
  hosts.push(started);
  return started;
}

const outTo = (to: Host[], limits: Partial<EgressLimits> = {}) =>
  egressTo(
    to.map(({ url }) => url),
    limits,
  );
const codeOf = (asking: Promise<unknown>): Promise<string | undefined> =>
  asking.then(
    () => 'answered',
    (error: unknown) => refusalIn(error)?.code ?? String(error),
  );
const bytesOf = async ({ body }: Response): Promise<Buffer> =>
  Buffer.concat(await Readable.fromWeb(body as ReadableStream).toArray());

describe('a redirect', () => {
  it('does not send credentials to another origin, but does to the same one', async () => {
    const heard: IncomingMessage['headers'][] = [];
    const other = await host(({ headers }, response) => {
      heard.push(headers);
      response.writeHead(200, JSON_TYPE).end('{}');
    });
    const first = await host(({ url, headers }, response) => {
      if (url === '/elsewhere') return void response.writeHead(307, { location: other.url }).end();
      if (url === '/here') return void response.writeHead(302, { location: '/there' }).end();
      heard.push(headers);
      response.writeHead(200, JSON_TYPE).end('{}');
    });
    const secrets = { 'xi-api-key': 'a', authorization: 'Bearer b', cookie: 'c=d', 'x-anything': 'e' };
    const egress = outTo([first, other]);
    await egress.documents(`${first.url}/elsewhere`, { headers: secrets });
    await egress.documents(`${first.url}/here`, { headers: secrets });
    expect(Object.keys(heard[0] ?? {}).toSorted()).toEqual(['accept', 'accept-encoding', 'connection', 'host']);
    expect(heard[1]).toMatchObject(secrets);
  });

  it.each(['elevenlabs', 'retell'])('does not send the key of %s elsewhere', async (name) => {
    const heard: string[] = [];
    const thief = await host(({ rawHeaders }, response) => {
      heard.push(rawHeaders.join('\n'));
      response.writeHead(200, JSON_TYPE).end('{}');
    });
    const provider = await host((_, response) => void response.writeHead(302, { location: thief.url }).end());
    const connection = { apiKey: 'key_canary', webhookSecret: null, baseUrl: provider.url };
    const identity = { providerKind: 'call', providerId: 'id_0001' };
    await providerApi(name).fetchRecord({ ...connection, egress: outTo([provider, thief]) }, identity);
    expect(heard).toHaveLength(1);
    expect(heard.join()).not.toContain('key_canary');
    // Nor does a request go to a host that is not allowed.
    const asked = providerApi(name).fetchRecord({ ...connection, egress: outTo([provider]) }, identity);
    await expect(asked).rejects.toMatchObject({ retryable: false, problem: 'address_not_allowed' });
    expect(heard).toHaveLength(1);
  });

  it('does not forward a request body', async () => {
    const target = await host((_, response) => void response.writeHead(200, JSON_TYPE).end('{}'));
    const first = await host((_, response) => void response.writeHead(307, { location: target.url }).end());
    const asking = outTo([first, target]).documents(first.url, { method: 'POST', body: '{}' });
    expect(await codeOf(asking)).toBe('redirect_not_allowed');
  });
});

describe('a document', () => {
  it.each(['gzip', 'identity'])('is decoded (%s)', async (packing) => {
    const text = JSON.stringify({ words: 'Grüße'.repeat(1_000) });
    const body = packing === 'gzip' ? gzipSync(text) : text;
    const good = await host((_, response) => {
      response.writeHead(200, { ...JSON_TYPE, 'content-encoding': packing }).end(body);
    });
    expect(await (await outTo([good]).documents(good.url)).text()).toBe(text);
  });

  // The second one is below the limits of bytes and values: only its ratio is excessive.
  it.each([
    ['{},', 150 * MIB],
    [' ', 60 * MIB],
  ])(
    'that unpacks to a thousand times its size is aborted at once: of %j, %d bytes',
    { timeout: 30_000 },
    async (piece, bytes) => {
      const packed = await bomb(piece, bytes);
      expect(packed.length).toBeLessThan(MIB);
      const evil = await host((_, response) => {
        response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' }).end(packed);
      });
      const connection = { apiKey: 'key', webhookSecret: null, baseUrl: evil.url, egress: outTo([evil]) };
      const problems: string[] = [];
      const grown = await growth(async () => {
        for (const name of ['elevenlabs', 'retell']) {
          const asking = providerApi(name).fetchRecord(connection, { providerKind: 'call', providerId: 'id_0001' });
          problems.push(await asking.then(String, ({ problem }: { problem: string }) => problem));
        }
      });
      expect(problems).toEqual(['answer_too_large', 'answer_too_large']);
      expect(grown).toBeLessThan(48 * MIB);
    },
  );

  it('with too many bytes or values is refused', async () => {
    const large = await host((request, response) => {
      response.writeHead(200, JSON_TYPE);
      if (request.url === '/values') return void response.end('{},'.repeat(150_000));
      const piece = Buffer.from(' '.repeat(65_536));
      send(response, () => piece);
    });
    const egress = outTo([large], { documentBytes: 4 * MIB, documentValues: 100_000 });
    expect(await codeOf(egress.documents(`${large.url}/bytes`))).toBe('answer_too_large');
    expect(await codeOf(egress.documents(`${large.url}/values`))).toBe('answer_too_large');
  });

  it('with 50,000 levels is refused, because it could not be serialised', async () => {
    const deep = await host((_, response) => {
      response.writeHead(200, JSON_TYPE).end('['.repeat(50_000) + ']'.repeat(50_000));
    });
    const flat = await host((_, response) => {
      response.writeHead(200, JSON_TYPE).end(JSON.stringify({ text: '[{"\\'.repeat(50_000) }));
    });
    const egress = outTo([deep, flat]);
    expect(await codeOf(egress.documents(deep.url))).toBe('answer_too_large');
    expect(await codeOf(egress.documents(flat.url))).toBe('answered');
  });

  it.each(['gzip, br', 'gzip, gzip', 'constructor', '__proto__', 'zstd'])(
    'is refused with content encoding %s',
    async (packing) => {
      const odd = await host((_, response) => {
        response.writeHead(200, { ...JSON_TYPE, 'content-encoding': packing }).end('{}');
      });
      expect(await codeOf(outTo([odd]).documents(odd.url))).toBe('content_type_not_allowed');
    },
  );

  it.each([undefined, 'text/html', 'audio/wav', 'text/plain; x=application/json'])(
    'is refused with content type %s',
    async (type) => {
      const odd = await host((_, response) => {
        response.writeHead(200, type === undefined ? {} : { 'content-type': type }).end('{}');
      });
      expect(await codeOf(outTo([odd]).documents(odd.url))).toBe('content_type_not_allowed');
    },
  );
});

describe('a recording', () => {
  it.each([
    ['audio/mpeg; charset=x', 'anything at all', 'audio/mpeg'],
    ['audio/x-wav', 'RIFF', 'audio/wav'],
    ['binary/octet-stream', 'RIFF\0\0\0\0WAVEfmt ', 'audio/wav'],
    ['application/octet-stream', 'ID3 and so on, and on', 'audio/mpeg'],
    ['application/octet-stream', '<html><body>admin</body></html>', null],
    ['application/octet-stream', '', null],
    ['text/html', '<html></html>', null],
    // Another explicit type is respected.
    ['text/html', 'ID3 and so on, and on', null],
    ['application/json', 'RIFF\0\0\0\0WAVEfmt ', null],
    ['audio/../../html', 'RIFF', null],
    ['image/svg+xml', '<svg/>', null],
  ])('with content type %s that begins with %j is %s', async (called, content, type) => {
    const server = await host((_, response) => response.writeHead(200, { 'content-type': called }).end(content));
    const asking = outTo([server]).recordings(server.url);
    if (type === null) return expect(await codeOf(asking)).toBe('content_type_not_allowed');
    const response = await asking;
    expect(response.headers.get('content-type')).toBe(type);
    expect((await bytesOf(response)).toString()).toBe(content);
  });

  it('is aborted beyond its limit', async () => {
    const server = await host((_, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav' }).end(Buffer.alloc(2 * MIB));
    });
    const response = await outTo([server], { recordingBytes: MIB }).recordings(server.url);
    expect(await codeOf(bytesOf(response))).toBe('answer_too_large');
  });

  it('that unpacks to a thousand times its size is aborted at once', async () => {
    const packed = await bomb('RIFF', 200 * MIB);
    expect(packed.length).toBeLessThan(MIB);
    const evil = await host((_, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-encoding': 'gzip' }).end(packed);
    });
    const { body } = await outTo([evil]).recordings(evil.url);
    let bytes = 0;
    const reading = (async () => {
      for await (const chunk of Readable.fromWeb(body as ReadableStream)) bytes += (chunk as Buffer).length;
    })();
    expect(await codeOf(reading)).toBe('answer_too_large');
    expect(bytes).toBeLessThan(2 * MIB);
  });

  it('is not read faster than it is stored', async () => {
    let sent = 0;
    const block = Buffer.alloc(MIB);
    const server = await host((_, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav' });
      send(response, () => {
        sent += MIB;
        return sent > 256 * MIB ? null : block;
      });
    });
    const { body } = await outTo([server]).recordings(server.url);
    const reader = (body as ReadableStream).getReader();
    await reader.read();
    // Until nothing is read any more.
    for (let before = -1; before !== sent; await new Promise((resolve) => setTimeout(resolve, 300))) before = sent;
    expect(sent).toBeLessThan(64 * MIB);
    await reader.cancel();
  });
});

describe('a host that goes silent', () => {
  const QUICK = { headersMs: 300, silenceMs: 300, connectMs: 300 };

  it('before its response is given up', async () => {
    const dark = await host(() => undefined);
    await expect(outTo([dark], QUICK).documents(dark.url)).rejects.toThrow('does not answer');
  });

  it.each(['websocket', 'h2c'])('by switching to %s is given up', async (upgrade) => {
    const switching = await host((_, response) => {
      response.socket?.end(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`);
    });
    await expect(outTo([switching]).documents(switching.url)).rejects.toThrow('without a response');
    const { signal } = new AbortController();
    await expect(outTo([switching]).recordings(switching.url, { signal })).rejects.toThrow('without a response');
  });

  it('in the middle of a response is given up', async () => {
    const dark = await host((request, response) => {
      response.writeHead(200, { 'content-type': request.url === '/audio' ? 'audio/wav' : 'application/json' });
      response.write('[');
    });
    const egress = outTo([dark], QUICK);
    await expect(egress.documents(dark.url)).rejects.toThrow('stopped sending');
    const response = await egress.recordings(`${dark.url}/audio`);
    await expect(bytesOf(response)).rejects.toThrow('stopped sending');
  });

  it('is not confused with a response that is read slowly', async () => {
    const server = await host((_, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav' }).end(Buffer.alloc(8 * MIB));
    });
    const response = await outTo([server], { silenceMs: 100 }).recordings(server.url);
    const body = Readable.fromWeb(response.body as ReadableStream);
    let bytes = 0;
    for await (const chunk of body) {
      if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 500));
      bytes += (chunk as Buffer).length;
    }
    expect(bytes).toBe(8 * MIB);
  });

  it('or takes too long for the whole response is given up, too', async () => {
    const slow = await host((_, response) => {
      response.writeHead(200, JSON_TYPE);
      const drip = setInterval(() => response.write(' '), 20);
      response.once('close', () => clearInterval(drip));
    });
    await expect(outTo([slow], { documentMs: 400 }).documents(slow.url)).rejects.toThrow();
  });
});
