import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Configuration, EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { installRules, RulesError, removalText, removeRules, replaceStanding, rulesStand } from './install.ts';
import { rulesFor } from './rules.ts';
import { findProgram, type RunCommand, runCommand } from './run-command.ts';

const configuration: Configuration = {
  ...EMPTY_CONFIGURATION,
  rules: [{ name: 'MAIL', protocols: [{ protocol: 'smtp' }, { protocol: 'pop3' }] }],
  interfaces: [{ name: 'any', inspectIn: 'MAIL' }],
};
const texts = rulesFor({ configuration, firstQueue: 0, workers: 2, hashKey: 7 });
const otherTexts = rulesFor({
  configuration: { ...configuration, postern: { offload: false } },
  firstQueue: 5,
  workers: 1,
  hashKey: 7,
});

describe('texts', () => {
  const standing = [
    '-P FORWARD ACCEPT',
    '-N POSTERN-FORWARD',
    '-N POSTERN-QUEUE',
    '-N POSTERN-OTHERS',
    '-A FORWARD -p tcp -j POSTERN-FORWARD',
    '-A FORWARD -i eth9 -j POSTERN-QUEUE',
    '-A POSTERN-FORWARD -j POSTERN-QUEUE',
  ];

  test('installing takes the standing jump out first, and only that', () => {
    const lines = replaceStanding(texts.ipv4, standing).split('\n');
    expect(lines.filter((line) => line.startsWith('-D'))).toEqual(['-D FORWARD -p tcp -j POSTERN-FORWARD']);
    expect(lines.indexOf('-D FORWARD -p tcp -j POSTERN-FORWARD')).toBeGreaterThan(
      lines.lastIndexOf(':POSTERN-SAVE - [0:0]'),
    );
  });

  test('removing touches our chains and jumps only', () => {
    expect(removalText(standing)).toBe(
      '*mangle\n-D FORWARD -p tcp -j POSTERN-FORWARD\n-F POSTERN-FORWARD\n-F POSTERN-QUEUE\n-X POSTERN-FORWARD\n-X POSTERN-QUEUE\nCOMMIT\n',
    );
    expect(removalText(['-P FORWARD ACCEPT', '-N OTHER'])).toBeUndefined();
  });
});

describe('errors say what is wrong', () => {
  const failing =
    (stderr: string): RunCommand =>
    async () => ({ code: 4, stdout: '', stderr });

  test.each([
    [
      'iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)',
      /CAP_NET_ADMIN/,
    ],
    ["Fatal: can't open lock file /run/xtables.lock: Permission denied", /systemd-tmpfiles/],
    ['Another app is currently holding the xtables lock; still 1s 0us time ahead', /lock/],
    ["iptables-restore v1.8.9 (nf_tables): Couldn't load match `bpf':No such file or directory", /load match `bpf'/],
    ['', /without a word/],
  ])('%j', async (stderr, expected) => {
    await expect(installRules(texts, { run: failing(stderr) })).rejects.toThrow(expected);
    await expect(removeRules({ run: failing(stderr) })).rejects.toThrow(RulesError);
  });

  test('a program that is not installed cannot be found', () => {
    expect(findProgram('no-such-program-as-this')).toBeUndefined();
  });

  test('a command that cannot start, and one that does not read its input, are results and not crashes', async () => {
    expect((await runCommand('/nonexistent/program', [])).code).toBe(-1);
    expect((await runCommand('/bin/true', [], 'x'.repeat(1_000_000))).code).toBe(0);
  });
});

/** What the kernel needs from us to try it for real. */
function whyNotReal(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  for (const program of ['ip', 'iptables', 'ip6tables', 'setpriv', 'python3']) {
    if (findProgram(program) === undefined) return `needs ${program}`;
  }
  try {
    execFileSync('ip', ['netns', 'add', `${PREFIX}-try`], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'del', `${PREFIX}-try`]);
  } catch {
    return 'needs network namespaces';
  }
  return undefined;
}

/** The user and the group with no rights, whatever they are called. */
const NOBODY = 65_534;
const PREFIX = `pnf-${process.pid}`;
const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
const inside = (namespace: string, ...command: string[]): string => ip('netns', 'exec', namespace, ...command);

/** Runs iptables, or its legacy twin, within a namespace. */
function runInside(namespace: string, backend: string): RunCommand {
  return (program, args, input) => {
    const twin = program.replace(/(ip6?tables)/, `$1${backend}`);
    return runCommand(findProgram('ip') ?? 'ip', ['netns', 'exec', namespace, twin, ...args], input);
  };
}

const reason = whyNotReal();
if (reason !== undefined) console.warn(`skipped: rules in a real kernel: ${reason}`);

const backends = ['', '-legacy'].filter((backend) => findProgram(`iptables${backend}-restore`) !== undefined);

describe.skipIf(reason !== undefined).each(backends)('in a real kernel (iptables%s)', (backend) => {
  const namespace = `${PREFIX}-t`;
  const run = runInside(namespace, backend);
  const list = (family: string): string =>
    inside(namespace, `${family}${backend}`, '-t', 'mangle', '-S').replace(/^#.*\n/gm, '');

  beforeEach(() => {
    ip('netns', 'add', namespace);
    for (const family of ['iptables', 'ip6tables']) {
      inside(namespace, `${family}${backend}`, '-t', 'mangle', '-N', 'MINE');
      inside(namespace, `${family}${backend}`, '-t', 'mangle', '-A', 'FORWARD', '-p', 'tcp', '-j', 'MINE');
      inside(namespace, `${family}${backend}`, '-t', 'mangle', '-A', 'MINE', '-j', 'MARK', '--set-xmark', '0x5/0xff');
    }
  });
  afterEach(() => ip('netns', 'del', namespace));

  test('installed twice is installed once; removed leaves the table as it was', async () => {
    const before = [list('iptables'), list('ip6tables')];
    expect(await rulesStand({ run })).toBe(false);
    await installRules(texts, { run });
    const once = [list('iptables'), list('ip6tables')];
    await installRules(texts, { run });
    expect([list('iptables'), list('ip6tables')]).toEqual(once);
    expect(await rulesStand({ run })).toBe(true);
    for (const [index, standing] of once.entries()) {
      expect(standing.match(/-j POSTERN-FORWARD$/gm)).toHaveLength(1);
      // The gate twice, ICMP and two workers.
      expect(standing.match(/-j NFQUEUE/g)).toHaveLength(5);
      for (const line of before[index]?.trim().split('\n') ?? []) expect(standing).toContain(line);
    }
    await removeRules({ run });
    expect([list('iptables'), list('ip6tables')]).toEqual(before);
    await removeRules({ run });
    expect(await rulesStand({ run })).toBe(false);
  });

  test("another configuration takes the place of the first; the administrator's rules stand before it", async () => {
    await installRules(texts, { run });
    await installRules(otherTexts, { run });
    const standing = list('iptables');
    expect(standing).toContain('NFQUEUE --queue-num 5');
    expect(standing).not.toMatch(/queue-num [0-4]\b|POSTERN-SAVE -m|POSTROUTING -p tcp/);
    expect(standing.indexOf('-j MINE')).toBeLessThan(standing.indexOf('-j POSTERN-FORWARD'));
    await removeRules({ run });
  });

  test.each([true, false])(
    'a text that the kernel refuses changes nothing, in neither family (rules stood: %s)',
    async (stood) => {
      if (stood) await installRules(texts, { run });
      const before = [list('iptables'), list('ip6tables')];
      const broken = {
        ...otherTexts,
        ipv6: otherTexts.ipv6.replace('COMMIT', '-A POSTERN-QUEUE -j NO-SUCH-TARGET\nCOMMIT'),
      };
      await expect(installRules(broken, { run })).rejects.toThrow(RulesError);
      expect([list('iptables'), list('ip6tables')]).toEqual(before);
    },
  );

  test('a chain of ours that somebody else refers to is reported, not forced', async () => {
    await installRules(texts, { run });
    inside(namespace, `iptables${backend}`, '-t', 'mangle', '-A', 'MINE', '-j', 'POSTERN-QUEUE');
    await expect(removeRules({ run })).rejects.toThrow(RulesError);
    expect(list('iptables')).toContain('-A FORWARD -p tcp -m conntrack');
  });

  test('CAP_NET_ADMIN is enough for a user who may open the lock file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-lock-'));
    const lock = join(folder, 'xtables.lock');
    writeFileSync(lock, '');
    chmodSync(lock, 0o640);
    chmodSync(folder, 0o755);
    chownSync(lock, 0, NOBODY);
    const own = ['-all,+net_admin,+net_raw'] as const;
    const service: RunCommand = (program, args, input) => {
      const twin = program.replace(/(ip6?tables)/, `$1${backend}`);
      const user = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', '--no-new-privs'];
      const caps = ['--inh-caps', ...own, '--ambient-caps', ...own, '--bounding-set', ...own];
      return run('env', [`XTABLES_LOCKFILE=${lock}`, 'setpriv', ...user, ...caps, twin, ...args], input);
    };
    try {
      await installRules(texts, { run: service });
      expect(list('iptables')).toContain('-j NFQUEUE --queue-num 1');
      await removeRules({ run: service });
      expect(await rulesStand({ run })).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('without the capability the error names it', async () => {
    const weak: RunCommand = (program, args, input) =>
      run('setpriv', ['--bounding-set', '-net_admin', '--inh-caps', '-net_admin', program, ...args], input);
    await expect(installRules(texts, { run: weak })).rejects.toThrow(/CAP_NET_ADMIN/);
  });
});

const ONE_QUEUE = { firstQueue: 40, workers: 1, hashKey: 1 } as const;

const SERVER = `
const net = require('node:net');
net.createServer((socket) => socket.on('data', (data) => socket.write(data)).on('error', () => {}))
  .listen({ port: 25, host: '::' }, () => console.log('listening'));`;
const CLIENT = `
const net = require('node:net');
const [host, count] = process.argv.slice(1);
const one = () => new Promise((resolve, reject) => {
  const socket = net.connect(25, host, () => socket.write('hello'));
  socket.on('data', () => socket.end()).on('close', resolve).on('error', reject).setTimeout(5000, () => reject(new Error('timeout')));
});
(async () => {
  for (let i = 0; i < Number(count); i += 1) await one();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});`;

describe.skipIf(reason !== undefined)('with traffic through a router', () => {
  const [client, router, server] = ['c', 'r', 's'].map((role) => `${PREFIX}-${role}`) as [string, string, string];
  const run = runInside(router, '');
  const open = { ...configuration, postern: { fail: 'open' } } as const;
  let serving: ReturnType<typeof spawn>;

  beforeAll(async () => {
    for (const name of [client, router, server]) {
      ip('netns', 'add', name);
      inside(name, 'ip', 'link', 'set', 'lo', 'up');
    }
    link(client, router, '10.9.1', 'fd09:1::');
    link(server, router, '10.9.2', 'fd09:2::');
    inside(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    serving = spawn('ip', ['netns', 'exec', server, process.execPath, '-e', SERVER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => serving.stdout?.once('data', resolve));
  }, 30_000);

  afterAll(() => {
    serving?.kill();
    for (const name of [client, router, server]) ip('netns', 'del', name);
  });

  function link(end: string, middle: string, net4: string, net6: string): void {
    const [near, far] = [`v${end.at(-1)}0`, `v${end.at(-1)}1`];
    ip('-n', end, 'link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', middle);
    for (const [namespace, name, host] of [
      [end, near, 2],
      [middle, far, 1],
    ] as const) {
      ip('-n', namespace, 'addr', 'add', `${net4}.${host}/24`, 'dev', name);
      ip('-n', namespace, 'addr', 'add', `${net6}${host}/64`, 'dev', name, 'nodad');
      ip('-n', namespace, 'link', 'set', name, 'up');
    }
    ip('-n', end, 'route', 'add', 'default', 'via', `${net4}.1`);
    ip('-n', end, '-6', 'route', 'add', 'default', 'via', `${net6}1`);
  }

  const talk = (host: string, count: number): string =>
    inside(client, process.execPath, '-e', CLIENT, host, String(count));

  /** Packets that went to each queue; the gate's stands first. */
  function queued(family: string): number[] {
    const listing = inside(router, family, '-t', 'mangle', '-nvxL', 'POSTERN-QUEUE');
    const queues = new Map<string, number>();
    for (const [, packets, queue = ''] of listing.matchAll(/^ *(\d+) .*NFQUEUE num (\d+)/gm)) {
      queues.set(queue, (queues.get(queue) ?? 0) + Number(packets));
    }
    return [...queues.values()];
  }
  const total = (packets: readonly number[]): number => packets.reduce((sum, count) => sum + count, 0);

  // Before anything else makes conntrack work here: the rules alone must see to it.
  test('a fragmented packet cannot pass by the queue', async () => {
    const rules = rulesFor({ configuration: { ...open, postern: { offload: false, fail: 'open' } }, ...ONE_QUEUE });
    await installRules(rules, { run });
    const unsteered = ['-t', 'mangle', '-A', 'POSTROUTING', '-p', 'tcp', '-f'];
    inside(router, 'iptables', ...unsteered);
    const fragments = `
import socket, struct
def ip(ident, offset, more, payload):
    word = (0x2000 if more else 0) | offset // 8
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), ident, word, 64, 6, 0,
                       socket.inet_aton('10.9.1.2'), socket.inet_aton('10.9.2.2'))
    return head + payload
tcp = struct.pack('!HHIIBBHHH', 40000, 25, 1, 0, 5 << 4, 2, 1024, 0, 0) + b'x' * 44
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for offset, more, payload in ((0, True, tcp[:24]), (24, True, tcp[24:48]), (48, False, tcp[48:])):
    raw.sendto(ip(77, offset, more, payload), ('10.9.2.2', 0))
`;
    const before = queued('iptables')[0] ?? 0;
    inside(client, 'python3', '-c', fragments);
    expect(queued('iptables')[0]).toBe(before + 1);
    const listing = inside(router, 'iptables', '-t', 'mangle', '-nvxL', 'POSTROUTING');
    expect(/^ *(\d+) .*-f /m.exec(listing)?.[1]).toBe('0');
    inside(router, 'iptables', ...unsteered.with(2, '-D'));
  });

  describe('that masquerades', () => {
    beforeAll(() => {
      for (const [family, away] of [
        ['iptables', '10.9.2.0/24'],
        ['ip6tables', 'fd09:2::/64'],
      ] as const) {
        inside(router, family, '-t', 'nat', '-A', 'POSTROUTING', '-d', away, '-j', 'MASQUERADE');
      }
    });

    test.each([
      ['iptables', '10.9.2.2'],
      ['ip6tables', 'fd09:2::2'],
    ])('%s: every packet of a connection goes to one queue, many connections use them all', async (family, host) => {
      const rules = rulesFor({ configuration: open, firstQueue: 40, workers: 4, hashKey: 12_345 });
      for (let round = 0; round < 4; round += 1) {
        await installRules(rules, { run });
        talk(host, 1);
        const [gate, ...workers] = queued(family);
        expect(gate).toBe(1);
        const used = workers.filter((packets) => packets > 0);
        expect(used).toHaveLength(1);
        expect(used[0]).toBeGreaterThanOrEqual(6);
      }
      talk(host, 60);
      const [gate, ...workers] = queued(family);
      expect(gate).toBe(61);
      for (const packets of workers) expect(packets).toBeGreaterThan(0);
    });

    test('fail closed without a daemon: nothing passes', async () => {
      await installRules(rulesFor({ configuration, ...ONE_QUEUE }), { run });
      expect(() => talk('10.9.2.2', 1)).toThrow();
    }, 15_000);

    test.each([
      ['offloadBoth', (ends: number, queuedPackets: number) => expect(queuedPackets).toBe(ends)],
      ['offloadResponder', (ends: number, queuedPackets: number) => expect(queuedPackets).toBeGreaterThan(ends)],
    ] as const)('%s: the mark of an accepted packet reaches the connection and frees it', async (which, compare) => {
      const rules = rulesFor({ configuration: open, ...ONE_QUEUE });
      await installRules(rules, { run });
      // A rule behind the queue stands for the verdict that sets the mark; 0x5 is a mark of the administrator's.
      const bit = which === 'offloadBoth' ? '0x2000005' : '0x4000005';
      const verdict = ['-t', 'filter', '-A', 'FORWARD', '-p', 'tcp', '-j', 'MARK', '--set-xmark', `${bit}/${bit}`];
      const seen = ['-t', 'mangle', '-A', 'POSTROUTING', '-p', 'tcp', '-m', 'mark', '--mark'];
      inside(router, 'iptables', ...verdict);
      inside(router, 'iptables', ...seen, '0x5');
      inside(router, 'iptables', ...seen, '0x0/0x1f000000');
      try {
        talk('10.9.2.2', 1);
        const first = total(queued('iptables'));
        // The first packet carries the mark, so of both directions, or of the responder's, only SYN, FIN and what comes
        // behind a FIN are queued.
        const listing = inside(router, 'iptables', '-t', 'mangle', '-nvxL', 'POSTROUTING');
        const counts = [...listing.matchAll(/^ *(\d+) .*mark match/gm)].map((match) => Number(match[1]));
        expect(counts[0]).toBeGreaterThanOrEqual(7);
        expect(counts[1]).toBe(counts[0]);
        compare(5, first);
        if (which === 'offloadResponder') expect(first).toBeLessThan(counts[0] ?? 0);
      } finally {
        inside(router, 'iptables', ...verdict.with(2, '-D'));
        inside(router, 'iptables', ...seen.with(2, '-D'), '0x5');
        inside(router, 'iptables', ...seen.with(2, '-D'), '0x0/0x1f000000');
        await removeRules({ run });
      }
    });

    test('the clear mark takes an offload back, and the marks of the administrator stay', async () => {
      await installRules(rulesFor({ configuration: open, ...ONE_QUEUE }), { run });
      const toServer = ['-t', 'filter', '-A', 'FORWARD', '-d', '10.9.2.2', '-p', 'tcp', '--tcp-flags'];
      const rulesOfTest = [
        ['-t', 'mangle', '-A', 'PREROUTING', '-p', 'tcp', '-j', 'CONNMARK', '--set-xmark', '0x1/0x1'],
        [...toServer, 'SYN', 'SYN', '-j', 'MARK', '--set-xmark', '0x4000000/0x4000000'],
        [...toServer, 'PSH', 'PSH', '-j', 'MARK', '--set-xmark', '0x8000000/0x8000000'],
        ...['0x4000001/0x6000001', '0x1/0x6000001'].map((mark) => [
          '-t',
          'mangle',
          '-A',
          'POSTROUTING',
          '-p',
          'tcp',
          '-m',
          'connmark',
          '--mark',
          mark,
        ]),
      ];
      for (const rule of rulesOfTest) inside(router, 'iptables', ...rule);
      try {
        talk('10.9.2.2', 1);
        const listing = inside(router, 'iptables', '-t', 'mangle', '-nvxL', 'POSTROUTING');
        const counts = [...listing.matchAll(/^ *(\d+) .*connmark match/gm)].map((match) => Number(match[1]));
        // SYN, SYN-ACK and ACK while it is offloaded; the line, its echo and the closing handshake after that.
        expect(counts[0]).toBe(3);
        expect(counts[1]).toBeGreaterThanOrEqual(4);
      } finally {
        for (const rule of rulesOfTest) inside(router, 'iptables', ...rule.with(2, '-D'));
        await removeRules({ run });
      }
    });
  });
});
