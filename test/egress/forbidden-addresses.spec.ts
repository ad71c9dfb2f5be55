// Spellings of addresses that nobody outside may make us connect to: a listener on all loopback addresses receives nothing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseEgressAllow } from '../../src/config/egress-allow.js';
import { Egress } from '../../src/egress/egress.js';
import { refusalIn } from '../../src/egress/refusal.js';
import { startCanary, startHost, type Host } from './hosts.js';

let canary: Awaited<ReturnType<typeof startCanary>>;
/** Allowed; redirects to the address in the query. */
let redirector: Host;

/** DNS records of the names in this file. */
const NAMES: Record<string, string[]> = {
  'private.example': ['10.0.0.7'],
  'loopback.example': ['127.0.0.1'],
  'loopback6.example': ['::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'nat64.example': ['64:ff9b::7f00:1'],
  'zone.example': ['fe80::1%lo'],
  'one-of-two.example': ['93.184.215.14', '127.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'nowhere.example': [],
  localhost: ['127.0.0.1'],
  'localtest.me': ['127.0.0.1'],
  '127.0.0.1.nip.example': ['127.0.0.1'],
  'metadata.google.internal': ['169.254.169.254'],
};

const egress = (allow = ''): Egress =>
  new Egress({
    allow: parseEgressAllow(allow),
    limits: { connectMs: 2_000 },
    resolve: async (hostname) => {
      const addresses = NAMES[hostname.replace(/\.$/, '').toLowerCase()] ?? ['127.0.0.1'];
      return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    },
  });

beforeAll(async () => {
  canary = await startCanary();
  redirector = await startHost((request, response) => {
    const to = new URL(request.url ?? '/', 'http://here').searchParams.get('to') ?? '';
    // Raw bytes: a header is not text.
    response.writeHead(302, { location: Buffer.from(to).toString('latin1') }).end();
  });
});
afterAll(async () => {
  await canary.close();
  await redirector.close();
});

/** `%` is replaced by the canary's port. */
const SPELLINGS = [
  // Plain.
  ...['https://127.0.0.1:%/', 'https://127.1.2.3:%/', 'http://127.0.0.1:%/', 'https://[::1]:%/', 'http://[::1]:%/'],
  // Decimal, octal, hexadecimal, short, mixed, overflowing.
  ...['https://2130706433:%/', 'https://017700000001:%/', 'https://0x7f000001:%/', 'https://0x7f.0.0.1:%/'],
  ...['https://0177.0.0.1:%/', 'https://0177.0x0.0.01:%/', 'https://127.1:%/', 'https://127.0.1:%/'],
  ...['https://00000177.1:%/', 'https://0x7F.1:%/', 'https://127.0.0.01:%/', 'https://127.0x1:%/'],
  // Unspecified addresses.
  ...['https://0:%/', 'https://0.0.0.0:%/', 'https://[::]:%/', 'https://0x0:%/', 'https://00.0:%/'],
  // IPv4 inside IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo.
  ...['https://[::ffff:127.0.0.1]:%/', 'https://[::ffff:7f00:1]:%/', 'https://[0:0:0:0:0:ffff:7f00:1]:%/'],
  ...['https://[::127.0.0.1]:%/', 'https://[::7f00:1]:%/', 'https://[::ffff:0:127.0.0.1]:%/'],
  ...['https://[64:ff9b::127.0.0.1]:%/', 'https://[64:ff9b:1::7f00:1]:%/', 'https://[2002:7f00:1::]:%/'],
  ...['https://[2001:0:7f00:1::]:%/', 'https://[0:0:0:0:0:0:0:1]:%/', 'https://[::0001]:%/'],
  // Trailing dots, users, percent signs, other digits and dots.
  ...['https://127.0.0.1.:%/', 'https://localhost.:%/', 'https://public.example@127.0.0.1:%/'],
  ...['https://user:word@127.0.0.1:%/', 'https://127.0.0.1:%@127.0.0.1:%/', 'https://%31%32%37.0.0.1:%/'],
  ...['https://１２７.０.０.１:%/', 'https://127。0。0。1:%/', 'https://①②⑦.⓪.⓪.①:%/', 'https://ｌｏｃａｌｈｏｓｔ:%/'],
  // Names of the machine and its network.
  ...['https://localhost:%/', 'https://LOCALHOST:%/', 'https://a.localhost:%/', 'http://localhost:%/'],
  ...['https://printer.local:%/', 'https://db.internal:%/', 'https://router.home.arpa:%/', 'https://localtest.me:%/'],
  ...['https://127.0.0.1.nip.example:%/', 'https://private.example:%/', 'https://loopback.example:%/'],
  ...[
    'https://loopback6.example:%/',
    'https://mapped.example:%/',
    'https://nat64.example:%/',
    'https://zone.example:%/',
  ],
  ...['https://one-of-two.example:%/', 'https://nowhere.example:%/'],
  // Cloud metadata services.
  ...['https://169.254.169.254/', 'http://169.254.169.254/latest/', 'https://metadata.google.internal/'],
  ...['https://metadata.example/', 'https://[fd00:ec2::254]/', 'https://100.100.100.200/', 'https://168.63.129.16/'],
  ...['https://192.0.0.192/', 'https://2852039166/'],
  // Private, shared, link-local, multicast, reserved, documentation, broadcast.
  ...['https://10.0.0.1/', 'https://172.16.0.1/', 'https://172.31.255.255/', 'https://192.168.1.1/'],
  ...['https://100.64.0.1/', 'https://198.18.0.1/', 'https://192.0.2.1/', 'https://203.0.113.1/', 'https://224.0.0.1/'],
  ...[
    'https://240.0.0.1/',
    'https://255.255.255.255/',
    'https://[fe80::1]/',
    'https://[fc00::1]/',
    'https://[ff02::1]/',
  ],
  ...['https://[fec0::1]/', 'https://[2001:db8::1]/', 'https://[100::1]/', 'https://[5f00::1]/'],
  // Other schemes and forms.
  ...['http://public.example:%/', 'ftp://127.0.0.1:%/', 'file:///etc/passwd', 'file://localhost/etc/passwd'],
  ...['data:audio/wav;base64,UklGRg==', 'blob:https://127.0.0.1:%/x', 'gopher://127.0.0.1:%/', 'ws://127.0.0.1:%/'],
  ...['javascript:1', 'https:127.0.0.1:%/', 'https:/127.0.0.1:%/', 'https:///127.0.0.1:%/', '//127.0.0.1:%/'],
  ...[
    'https:\\\\127.0.0.1:%\\',
    'https://127.0.0.1\\@public.example:%/',
    ' https://127.0.0.1:%/',
    'https://127.0.\t0.1:%/',
  ],
  ...[
    'https://127.0.0.1:%\n/',
    'https://',
    '',
    'recording.wav',
    'https://[::1',
    `https://public.example/${'a'.repeat(9_000)}`,
  ],
];
const at = (spelling: string): string => spelling.replaceAll(/%(?!\d\d)/g, String(canary.port));

describe('an address that is not public', () => {
  it('has many spellings in this test', () => {
    expect(new Set(SPELLINGS).size).toBe(SPELLINGS.length);
    expect(SPELLINGS.length).toBeGreaterThan(100);
  });

  it.each(SPELLINGS)('is refused: %j', async (spelling) => {
    for (const ask of ['documents', 'recordings'] as const) {
      const error: unknown = await egress()
        [ask](at(spelling))
        .catch((reason: unknown) => reason);
      expect(refusalIn(error)?.code).toBe('address_not_allowed');
    }
    expect(await egress().isRefused(at(spelling))).toBe(true);
    expect(canary.connections()).toBe(0);
  });

  it.each(SPELLINGS.filter((spelling) => /^[a-z]+:/.test(spelling) && URL.canParse(spelling.replaceAll('%', '9'))))(
    'is refused behind a redirect: %j',
    async (spelling) => {
      const from = `${redirector.url}/?to=${encodeURIComponent(at(spelling).replaceAll(/[\n\t]/g, ''))}`;
      const error: unknown = await egress(new URL(redirector.url).host)
        .recordings(from)
        .catch((reason: unknown) => reason);
      expect(refusalIn(error)?.code).toMatch(/^(address|redirect)_not_allowed$/);
      expect(canary.connections()).toBe(0);
    },
  );

  it('is refused at the end of a chain of redirects, and chains are short', async () => {
    const via = (to: string): string => `${redirector.url}/?to=${encodeURIComponent(to)}`;
    const chain = via(via(via(at('https://127.0.0.1:%/'))));
    const out = egress(new URL(redirector.url).host);
    expect(await codeOf(out.recordings(chain))).toBe('address_not_allowed');
    const endless = via(via(via(via(via(redirector.url)))));
    expect(await codeOf(out.recordings(endless))).toBe('redirect_not_allowed');
    expect(canary.connections()).toBe(0);
  });

  it('is not reached by a name that changes between check and connection', async () => {
    // 127.0.0.2 represents a public address: it is allowed here, and nobody else listens on it.
    const answers = ['127.0.0.2', '127.0.0.1'];
    let questions = 0;
    const out = new Egress({
      allow: parseEgressAllow('127.0.0.2'),
      resolve: async () => [{ address: answers[questions++ % 2] ?? '', family: 4 }],
    });
    const url = at('https://rebinding.example:%/');
    // The canary receives this request: it was sent to the address that was checked.
    await out.recordings(url).catch(() => undefined);
    expect([questions, canary.connections()]).toEqual([1, 1]);
    expect(await codeOf(out.recordings(url))).toBe('address_not_allowed');
    expect([questions, canary.connections()]).toEqual([2, 1]);
  });
});

describe('an allowed address', () => {
  /** Every name resolves to the allowed address 127.0.0.2, so only the spelling decides. */
  const out = (): Egress =>
    new Egress({
      allow: parseEgressAllow('127.0.0.0/8'),
      resolve: async () => [{ address: '127.0.0.2', family: 4 }],
    });

  it('is reached with a plain spelling', async () => {
    for (const spelling of ['https://public.example:%/', 'https://127.0.0.2:%/']) {
      const before = canary.connections();
      expect(await out().isRefused(at(spelling))).toBe(false);
      expect(await codeOf(out().documents(at(spelling)))).toBeUndefined();
      expect(canary.connections()).toBeGreaterThan(before);
    }
  });

  it.each([
    // Without TLS anybody on the way could read and answer.
    ...['http://public.example:%/', 'http://127.0.0.2:%/'],
    // Converted by URL parsers: decimal, octal, hexadecimal, short, with other digits.
    ...['https://2130706434:%/', 'https://017700000002:%/', 'https://0x7f000002:%/', 'https://127.2:%/'],
    ...['https://0177.0.0.2:%/', 'https://127.0.0.02:%/', 'https://１２７.０.０.２:%/', 'https://127。0。0。2:%/'],
    // Names that have a meaning only inside.
    ...['https://localhost:%/', 'https://LOCALHOST.:%/', 'https://a.localhost:%/', 'https://printer.local:%/'],
    ...['https://db.internal:%/', 'https://router.home.arpa:%/'],
    // Two parsers would not agree on the host.
    ...['https://user:word@public.example:%/', 'https://public.example@127.0.0.2:%/', 'https:public.example:%/'],
    ...[
      'https:/public.example:%/',
      'https:///public.example:%/',
      'https:\\\\public.example:%\\',
      ' https://127.0.0.2:%/',
    ],
    ...['https://127.0.0.2\\@public.example:%/', 'https://127.0.\t0.2:%/', `https://127.0.0.2:%/${'a'.repeat(9_000)}`],
  ])('is refused if it is spelled %j', async (spelling) => {
    const before = canary.connections();
    for (const ask of ['documents', 'recordings'] as const)
      expect(await codeOf(out()[ask](at(spelling)))).toBe('address_not_allowed');
    expect(await out().isRefused(at(spelling))).toBe(true);
    expect(canary.connections()).toBe(before);
  });
});

const codeOf = (asking: Promise<unknown>): Promise<string | undefined> =>
  asking.then(
    () => 'answered',
    (error: unknown) => refusalIn(error)?.code,
  );
