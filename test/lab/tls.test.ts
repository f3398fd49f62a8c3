import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCapture } from './capture.ts';
import { talk } from './dialogue.ts';
import { ADDRESSES } from './lab.ts';
import { configurationOf, type LogLine } from './postern.ts';
import { type Finished, type Running, until } from './process.ts';
import { clearBehindTls, type MailProtocol, secureClient, startTlsServer, type TlsPeer } from './tls-peers.ts';
import { createWorld, posternOf, type World } from './world.ts';

/** TLS of real stacks (OpenSSL against Postfix and Dovecot), and what comes where it, or something else, is awaited. */

const PROTOCOLS = ['esmtp', 'pop3', 'imap', 'smtps', 'pop3s', 'imaps'];
const withTls = (words: string): string =>
  configurationOf(PROTOCOLS.map((protocol) => `${protocol} alert on audit-trail on ${words}`.trim()));

const PEERS: readonly (readonly [string, Omit<TlsPeer, 'host'>])[] = [
  ['smtp', { port: 25, startTls: 'smtp' }],
  ['pop3', { port: 110, startTls: 'pop3' }],
  ['imap', { port: 143, startTls: 'imap' }],
  ['imaps', { port: 993 }],
  ['pop3s', { port: 995 }],
  ['smtps', { port: 465 }],
];
const CLEAR_PORTS: readonly (readonly [MailProtocol, number])[] = [
  ['smtp', 25],
  ['pop3', 110],
  ['imap', 143],
];
const { v4, v6 } = ADDRESSES.server;

let world: World;
let submissions: Running;
let reloads = 0;
let captures = 0;

beforeAll(async () => {
  world = await createWorld({ configuration: withTls(''), logDialogues: true });
  submissions = await startTlsServer(world.lab.server, v4, world.certificate);
}, 60_000);
afterAll(async () => {
  await submissions?.stop();
  await world?.close();
});

/** Puts the configuration in force and answers the log from there on. */
async function reload(configuration: string): Promise<() => LogLine[]> {
  const postern = posternOf(world);
  postern.reload(configuration);
  reloads += 1;
  const isReloaded = (line: LogLine): boolean => line.mnemonic === 'CONFIG_RELOADED';
  await until('the new configuration', () => postern.log().filter(isReloaded).length === reloads);
  return logFromHere();
}

function logFromHere(): () => LogLine[] {
  const before = posternOf(world).log().length;
  return () => posternOf(world).log().slice(before);
}

const ofMnemonic = (lines: readonly LogLine[], mnemonic: string): readonly string[] =>
  lines.flatMap((line) => (line.mnemonic === mnemonic ? [line.msg] : []));
const reasonsOf = (lines: readonly LogLine[]): readonly (string | undefined)[] =>
  lines.flatMap((line) => (line.mnemonic === 'SESSION_REFUSED' ? [line.reason] : []));
const client = (peer: TlsPeer): Promise<Finished> => secureClient(world.lab.client, peer);

/** What reached the server's side of the router meanwhile. */
async function reachingServer(act: () => Promise<unknown>): Promise<string> {
  const file = join(world.folder('wire'), `tls-${++captures}.pcap`);
  const inside = await startCapture(world.lab.router, 'inside0', file);
  await act();
  await inside.stop();
  return [...inside.streams()]
    .flatMap(([ends, octets]) => (/\.(?:25|110|143|465|993|995)$/.test(ends) ? octets : []))
    .join('');
}

describe('tls minimum-version', () => {
  const AGREED = /Protocol version: TLSv1\.([23])/;
  /** RFC 8446 6: protocol_version is 70. */
  const TOO_OLD = /alert protocol version.*SSL alert number 70/;

  it.each([
    ['1.3', '1.2', false],
    ['1.3', '1.3', true],
    ['1.2', '1.2', true],
    ['1.2', '1.3', true],
  ] as const)(
    '%s: a client of %s',
    async (minimum, spoken, passes) => {
      const log = await reload(withTls(`tls minimum-version ${minimum}`));
      const option = spoken === '1.2' ? '-tls1_2' : '-tls1_3';
      for (const [protocol, peer] of PEERS) {
        for (const host of protocol === 'smtp' || protocol === 'imaps' ? [v4, v6] : [v4]) {
          const here = logFromHere();
          const finished = await client({ ...peer, host, options: [option] });
          const seen = `${protocol} ${host}: ${finished.stderr}`;
          expect(AGREED.exec(finished.stderr)?.[1], seen).toBe(passes ? spoken.slice(-1) : undefined);
          expect(TOO_OLD.test(finished.stderr), seen).toBe(!passes);
          expect(reasonsOf(here()), seen).toEqual(passes ? [] : ['tls-version']);
        }
      }
      const told = ofMnemonic(log(), 'TLS_VERSION');
      expect(told).toHaveLength(passes ? 0 : PEERS.length + 2);
      for (const text of told) expect(text).toContain(`TLS ${spoken} is below the minimum of ${minimum} in `);
    },
    60_000,
  );

  it("a server's own choice is held to it, too", async () => {
    const server = await startTlsServer(world.lab.server, v6, world.certificate, ['-tls1_2']);
    const log = await reload(withTls('tls minimum-version 1.3'));
    const finished = await client({ host: v6, port: 465 });
    await server.stop();
    expect(finished.stderr).toMatch(TOO_OLD);
    expect(reasonsOf(log())).toEqual(['tls-version']);
    expect(ofMnemonic(log(), 'TLS_VERSION')[0]).toContain('TLS 1.2 is below the minimum of 1.3 in smtps session');
    expect(ofMnemonic(log(), 'TLS_SESSION')).toEqual([]);
  });
});

describe("a server's alert", () => {
  // Dovecot 2.3 sends none: it closes.
  it.each([
    ['smtp', { port: 25, startTls: 'smtp' }],
    ['smtps', { port: 465 }],
  ] as const)('%s: is read by its client, and ends the session', async (_protocol, peer) => {
    const log = await reload(withTls('tls minimum-version 1.2'));
    // The lab's certificate is one of elliptic curves: nothing of RSA's can be agreed upon.
    const finished = await client({ ...peer, host: v4, options: ['-tls1_2', '-cipher', 'AES128-GCM-SHA256'] });
    expect(finished.stderr).toMatch(/alert handshake failure.*SSL alert number 40/);
    expect(reasonsOf(log())).toEqual([]);
    await until('the session to be over', async () => (await posternOf(world).sessions()).length === 0);
  });
});

describe('what is read of TLS', () => {
  it.each(PEERS)('%s: is what the client was told to say', async (protocol, peer) => {
    const log = await reload(withTls(''));
    const names = ['-servername', `${protocol}.lab.example`, '-alpn', 'x-lab,imap', '-tls1_3'];
    const done = client({ ...peer, host: v4, options: names, stayMs: 2_500 });
    const told = () => ofMnemonic(log(), 'TLS_SESSION');
    await until('TLS to begin', () => told().length === 1, 10_000);
    const shown = (await posternOf(world).exec('show', 'ip', 'inspect', 'sessions', 'detail')).stdout;
    const finished = await done;
    expect(finished.stderr).toMatch(/Protocol version: TLSv1\.3/);
    const ja4 = /client (t13d\d{4}xb_[0-9a-f]{12}_[0-9a-f]{12})$/.exec(told()[0] ?? '')?.[1];
    expect(ja4, told()[0]).toBeDefined();
    expect(told()[0]).toContain(`TLS 1.3 in ${protocol} session: `);
    expect(told()[0]).toContain(`server name ${protocol}.lab.example, protocol x-lab,imap, client `);
    expect(shown).toContain(`TLS 1.3, server name ${protocol}.lab.example, ALPN x-lab,imap, JA4 ${ja4}`);
  });

  it('says nothing where the client says nothing', async () => {
    const log = await reload(withTls(''));
    await client({ host: v4, port: 993, options: ['-noservername', '-tls1_2'] });
    const [told = ''] = ofMnemonic(log(), 'TLS_SESSION');
    expect(told).toMatch(/TLS 1\.2 in imaps session: .* server name -, protocol -, client t12i\d{4}00_/);
  });
});

describe('clear text on a TLS port', () => {
  it.each([
    ['imaps', 993, 'a NOOP\r\n'],
    ['pop3s', 995, 'CAPA\r\n'],
    ['smtps', 465, 'EHLO t\r\n'],
    ['imaps', 993, 'GET / HTTP/1.1\r\n\r\n'],
  ] as const)('%s %i is reset and named, and nothing of it arrives', async (protocol, port, line) => {
    const log = await reload(withTls(''));
    const arrived = await reachingServer(async () => {
      const spoken = await talk(world.lab.client, { host: v4, port, steps: [{ send: line }, { waitForEnd: true }] });
      expect(spoken.end).toBe('reset');
    });
    expect(arrived).toBe('');
    expect(reasonsOf(log())).toEqual(['tls-expected']);
    expect(ofMnemonic(log(), 'SESSION_REFUSED')[0]).toContain(`Refused ${protocol} session`);
  });
});

describe('another protocol on a port in clear', () => {
  it.each(CLEAR_PORTS)('TLS on %s', async (protocol, port) => {
    const log = await reload(withTls(''));
    const arrived = await reachingServer(async () => {
      // Its hello is sent at once: behind the greeting it reads that, before it our alert.
      const { stderr } = await client({ host: v4, port, options: [] });
      expect(stderr).toMatch(/SSL alert number 10|wrong version number/);
    });
    expect(arrived).not.toContain('\x16\x03');
    expect(reasonsOf(log())).toEqual(['foreign-protocol']);
    expect(ofMnemonic(log(), 'FOREIGN_PROTOCOL')[0]).toContain(`The initiator speaks TLS in ${protocol} session`);
  });

  it.each(CLEAR_PORTS)('HTTP on %s, as curl and a cross-protocol POST send it', async (protocol, port) => {
    const log = await reload(withTls(''));
    const arrived = await reachingServer(async () => {
      await world.lab.client.run(['curl', '-sS', '--http0.9', '--max-time', '5', `http://${v4}:${port}/`]);
      const body = 'QUIT\r\nMAIL FROM:<x@evil.example>\r\na NOOP\r\n';
      await world.lab.client.run(['curl', '-sS', '--max-time', '5', '--data-binary', body, `http://[${v6}]:${port}/`]);
    });
    expect(arrived).not.toMatch(/GET \/|POST \/|evil|Host:/);
    expect(reasonsOf(log())).toEqual(['foreign-protocol', 'foreign-protocol']);
    for (const told of ofMnemonic(log(), 'FOREIGN_PROTOCOL')) {
      expect(told).toContain(`The initiator speaks HTTP in ${protocol} session`);
    }
  });

  it.each(CLEAR_PORTS)('SSH on %s', async (protocol, port) => {
    const log = await reload(withTls(''));
    const arrived = await reachingServer(async () => {
      const options = ['-p', String(port), '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=5'];
      const strict = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-F', '/dev/null'];
      const finished = await world.lab.client.run(['ssh', ...options, ...strict, `x@${v4}`], { timeoutMs: 15_000 });
      expect(finished.code).not.toBe(0);
    });
    expect(arrived).not.toContain('SSH-');
    expect(reasonsOf(log())).toEqual(['foreign-protocol']);
    expect(ofMnemonic(log(), 'FOREIGN_PROTOCOL')[0]).toContain(`The initiator speaks SSH in ${protocol} session`);
  });

  it('is no tag, no name and no help', async () => {
    const log = await reload(withTls(''));
    const imap = await talk(world.lab.client, {
      host: v4,
      port: 143,
      steps: [
        { expect: 'OK' },
        { send: 'GET NOOP\r\n' },
        { expect: '^GET OK' },
        { send: 'SSH-1 LOGOUT\r\n' },
        { expect: '^SSH-1 OK' },
      ],
    });
    expect(imap.stoppedAt).toBeUndefined();
    const smtp = await talk(world.lab.client, {
      host: v4,
      port: 25,
      steps: [
        { expect: '^220' },
        { send: 'EHLO ssh-1\r\n' },
        { expect: '^250 ' },
        { send: 'HELP\r\n' },
        { expect: '^5' },
        { send: 'QUIT\r\n' },
        { expect: '^221' },
      ],
    });
    expect(smtp.stoppedAt).toBeUndefined();
    expect(reasonsOf(log())).toEqual([]);
  });
});

describe('behind TLS', () => {
  it('clear text is not read as commands by the server, to which it is left (TLS-18)', async () => {
    const log = await reload(withTls(''));
    const before = world.postfix.log().length;
    const finished = await clearBehindTls(world.lab.client, v4, 'EHLO t\r\nMAIL FROM:<x@evil.example>\r\n');
    expect(finished.stdout).toMatch(/^encrypted TLSv1\.[23]/);
    expect(finished.stdout).not.toMatch(/250/);
    await until('the session to be over', async () => (await posternOf(world).sessions()).length === 0);
    expect(world.postfix.log().slice(before)).not.toContain('evil.example');
    expect(reasonsOf(log())).toEqual([]);
  });
});
