import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Capture, startCapture } from './capture.ts';
import { smtpSource, startTls } from './clients.ts';
import { talk } from './dialogue.ts';
import {
  DELIVERIES,
  type Delivery,
  ENCRYPTED_DELIVERIES,
  ENCRYPTED_FETCHINGS,
  FETCHINGS,
  type Fetching,
  MAILBOX_HOSTS,
  type Senders,
  startSenders,
} from './errands.ts';
import { ADDRESSES } from './lab.ts';
import { arrivedUnchanged, plainMessage } from './messages.ts';
import { configurationOf, posternLogTexts } from './postern.ts';
import { until } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/** Everyday clients keep the rules that `strict` and `require-tls` hold them to: all of them pass, and nothing is told. */

const GLOBALS = ['postern chunking inspect'];

const withLineEnds = (endings: string): string =>
  configurationOf(
    ['esmtp', 'pop3', 'imap'].map((protocol) => `${protocol} alert on line-endings ${endings}`),
    GLOBALS,
  );

const WITH_TLS = configurationOf(
  [
    'esmtp alert on line-endings strict require-tls mail tls minimum-version 1.2',
    'pop3 alert on line-endings strict require-tls login tls minimum-version 1.2',
    'imap alert on line-endings strict require-tls login tls minimum-version 1.2',
    'imaps alert on tls minimum-version 1.2',
    'pop3s alert on tls minimum-version 1.2',
  ],
  GLOBALS,
);

interface Variant {
  readonly name: string;
  readonly configuration: string;
  readonly deliveries: readonly Delivery[];
  readonly fetchings: readonly Fetching[];
  readonly loads: readonly { readonly host: string; readonly keep: boolean }[];
  /** What comes of a command that ends in a bare LF, or of a login before TLS: the policy is on. */
  readonly breach: { readonly line: string; readonly comesTo: RegExp };
}

const LOADS = [ADDRESSES.server.v4, ADDRESSES.exim.v4].flatMap((host) => [
  { host, keep: false },
  { host, keep: true },
]);
const inClear = { deliveries: DELIVERIES, fetchings: FETCHINGS, loads: LOADS } as const;
const VARIANTS: readonly Variant[] = [
  {
    name: 'line-endings strict',
    configuration: withLineEnds('strict'),
    ...inClear,
    breach: { line: 'a NOOP\n', comesTo: /^\* BYE .* refused: /m },
  },
  {
    name: 'line-endings tolerant',
    configuration: withLineEnds('tolerant'),
    ...inClear,
    breach: { line: 'a NOOP\n', comesTo: /^a OK/m },
  },
  {
    name: 'strict, require-tls, tls minimum-version 1.2',
    configuration: WITH_TLS,
    deliveries: ENCRYPTED_DELIVERIES,
    fetchings: ENCRYPTED_FETCHINGS,
    loads: [],
    breach: { line: 'a LOGIN u1 p\r\n', comesTo: /^a NO \[PRIVACYREQUIRED\]/m },
  },
];

/** Exim's own extension, which no RFC has, is masked (src/protocols/smtp/ehlo.ts): the only octets that may differ. */
const asMasked = (text: string): string => text.replaceAll(/^(250[- ])PIPECONNECT/gm, '$1XXXXXXXXXXX');

/** Streams that are not the same on both sides of the router, and where they begin to differ. */
function differences(outside: Capture, inside: Capture): readonly string[] {
  const [sent, passed] = [outside.streams(), inside.streams()];
  // A client that resets its connection does not hear the server's last words: they find no connection any more.
  const deaf = new Set(
    outside
      .segments()
      .flatMap(({ flags, from, to }) => (flags.rst && from.startsWith(ADDRESSES.client.v4) ? [`${to}>${from}`] : [])),
  );
  return [...new Set([...sent.keys(), ...passed.keys()])].flatMap((ends) => {
    const [seen, wanted] = [sent.get(ends) ?? '', asMasked(passed.get(ends) ?? '')];
    if (seen === wanted || seen === passed.get(ends) || (deaf.has(ends) && wanted.startsWith(seen))) return [];
    const at = [...wanted].findIndex((octet, index) => octet !== seen[index]);
    return [`${ends} at ${at}: ${JSON.stringify([seen.slice(at, at + 40), wanted.slice(at, at + 40)])}`];
  });
}

let world: World;
let senders: Senders;
beforeAll(async () => {
  world = await createWorld({ configuration: withLineEnds('strict'), exim: true, courier: true });
  senders = await startSenders(world);
  world.dovecot.deliver(plainMessage('kept at Dovecot'));
  world.courier?.deliver(plainMessage('kept at Courier').replaceAll('\r\n', '\n'));
}, 60_000);
afterAll(async () => {
  await world?.close();
});

const mailboxOf = (to: Delivery['to']): readonly string[] =>
  (to === 'postfix' ? world.postfix : world.exim)?.mailbox() ?? [];

describe.each(VARIANTS)('$name', ({ configuration, deliveries, fetchings, loads, breach }) => {
  let outside: Capture;
  let inside: Capture;
  let told: number;

  beforeAll(async () => {
    const postern = posternOf(world);
    const before = postern.log().length;
    postern.reload(configuration);
    const isReloaded = () =>
      postern
        .log()
        .slice(before)
        .some(({ mnemonic }) => mnemonic === 'CONFIG_RELOADED');
    await until('the configuration to be read', isReloaded);
    told = posternLogTexts(postern).length;
    const { router } = world.lab;
    const file = (side: string) => join(world.folder('wire'), `${side}-${told}.pcap`);
    outside = await startCapture(router, 'outside0', file('outside'));
    inside = await startCapture(router, 'inside0', file('inside'));
  });

  it.each(deliveries)('$name', async ({ name, to, send, message }) => {
    const text = message(`${name} ${told}`);
    const finished = await send(world, senders, text);
    expect(finished, finished.stdout + finished.stderr).toMatchObject({ code: 0 });
    await expect.poll(() => arrivedUnchanged(mailboxOf(to), text), { timeout: 5_000 }).toBe(true);
  });

  it.each(loads)('smtp-source to $host, one connection kept: $keep', async ({ host, keep }) => {
    const finished = await smtpSource(world.lab.client, host, { count: 10, bytes: 2_048, parallel: 2, keep });
    expect(finished.code, finished.stderr).toBe(0);
  });

  it.each(fetchings)('$name', async ({ from, fetch }) => {
    const { finished, messages } = await fetch(world, MAILBOX_HOSTS[from]);
    expect(finished.code, finished.stdout + finished.stderr).toBe(0);
    const kept = plainMessage(`kept at ${from === 'dovecot' ? 'Dovecot' : 'Courier'}`);
    // mbsync notes an identifier of its own in what it stores.
    const fetched = messages.map((text) => text.replace(/^X-TUID: .*\r?\n/m, '').replaceAll(/\r?\n/g, '\r\n'));
    expect(fetched).toContain(kept);
  });

  it.each([
    ['smtp', 25, 'server'],
    ['imap', 143, 'server'],
    ['pop3', 110, 'server'],
    ['imap', 143, 'courier'],
    ['pop3', 110, 'courier'],
  ] as const)('openssl completes the handshake: %s, port %i, %s', async (protocol, port, at) => {
    const finished = await startTls(world.lab.client, ADDRESSES[at].v4, port, protocol);
    expect(finished.stdout, finished.stderr).toMatch(/^(221|\+OK|\* BYE)/m);
  });

  it('nothing was told, and every octet is the same on both sides', async () => {
    await outside.stop();
    await inside.stop();
    expect(outside.streams().size).toBeGreaterThan(2 * deliveries.length);
    expect(differences(outside, inside)).toEqual([]);
    expect(posternLogTexts(posternOf(world)).slice(told)).toEqual([]);
  });

  it('and the policy is on', async () => {
    const steps = [{ expect: '^\\* OK' }, { send: breach.line }, { expect: breach.comesTo.source }];
    const said = await talk(world.lab.client, { host: world.lab.target.v4, port: 143, steps });
    expect(said.stoppedAt, said.received).toBeUndefined();
  });
});
