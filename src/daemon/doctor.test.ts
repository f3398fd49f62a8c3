import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { loadPatterns } from '../native/addon.ts';
import { diagnose, printFindings, runDoctor } from './doctor.ts';
import type { Machine } from './doctor-checks.ts';
import { isWritable, tryPatterns } from './doctor-trials.ts';

const FILES: Readonly<Record<string, string>> = {
  '/proc/self/status': 'Name:\tnode\nCapEff:\t0000000000003000\n',
  '/proc/self/net/dev': '',
  '/proc/self/net/if_inet6': '',
  '/proc/self/net/netfilter/nfnetlink_queue': '',
  '/proc/sys/net/core/rmem_max': '33554432\n',
  '/proc/sys/net/netfilter/nf_conntrack_max': '262144\n',
  '/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal': '1\n',
};

function machine(
  change: Partial<Machine> & { readonly files?: Readonly<Record<string, string | undefined>> } = {},
): Machine {
  const files: Readonly<Record<string, string | undefined>> = { ...FILES, ...change.files };
  return {
    nodeVersion: 'v20.19.0',
    readFile: (path) => files[path],
    fileExists: (path) => files[path] !== undefined,
    findProgram: (name) => `/usr/sbin/${name}`,
    queueOwner: () => null,
    tryRules: async () => undefined,
    tryPatterns: async () => undefined,
    isWritable: () => true,
    tryStore: async () => undefined,
    ...change,
  };
}

const troubles = async (of: Machine) =>
  (await diagnose(of, { queue: 0, stateDir: '/var/lib/postern' })).filter((finding) => finding.level !== 'good');

test('a machine that has everything has no trouble', async () => {
  expect(await troubles(machine())).toEqual([]);
});

describe('each lack is named with its remedy', () => {
  test.each([
    ['an old Node', machine({ nodeVersion: 'v18.20.4' }), 'fault', 'Node.js', /apt install nodejs/],
    ['a Node of the right major, too old', machine({ nodeVersion: 'v20.18.9' }), 'fault', 'Node.js', /nodejs/],
    [
      'no addon',
      machine({
        queueOwner: () => {
          throw new Error("Cannot find module 'postern.node'\nRequire stack:");
        },
      }),
      'fault',
      'native addon',
      /npm run build:native/,
    ],
    ['a foreign owner', machine({ queueOwner: () => 'pid 7 (suricata)' }), 'fault', 'queue 0', /--queue 100/],
    [
      'no capability to inject',
      machine({ files: { '/proc/self/status': 'CapEff:\t0000000000001000\n' } }),
      'fault',
      'CAP_NET_RAW',
      /systemctl/,
    ],
    [
      'no kernel queues',
      machine({ files: { '/proc/self/net/netfilter/nfnetlink_queue': undefined } }),
      'fault',
      'nfnetlink_queue',
      /modprobe nfnetlink_queue/,
    ],
    [
      'a table of queues that may not be read',
      machine({
        files: { '/proc/self/net/netfilter/nfnetlink_queue': undefined },
        fileExists: (path) => path === '/proc/self/net/netfilter/nfnetlink_queue',
      }),
      'advice',
      'queue 0',
      /as root/,
    ],
    [
      'a small socket buffer',
      machine({ files: { '/proc/sys/net/core/rmem_max': '212992\n' } }),
      'advice',
      'net.core.rmem_max',
      /sysctl -w net\.core\.rmem_max=33554432/,
    ],
    [
      'no SYNPROXY in the kernel',
      machine({ tryRules: async (_program, text) => (text.includes('SYNPROXY') ? 'no such target' : undefined) }),
      'advice',
      'SYNPROXY',
      /modprobe .*SYNPROXY/,
    ],
    [
      'no rates in the kernel',
      machine({ tryRules: async (_program, text) => (text.includes('hashlimit') ? 'no such match' : undefined) }),
      'advice',
      'rules of zones',
      /modprobe .*xt_hashlimit/,
    ],
    [
      'a pattern engine that overlooks matches',
      machine({ tryPatterns: async () => '7 of 9 texts are judged wrongly' }),
      'fault',
      'pattern engine',
      /libhyperscan5/,
    ],
    [
      'a pattern engine that cannot be loaded',
      machine({ tryPatterns: () => Promise.reject(new Error('no such file\nRequire stack:')) }),
      'fault',
      'pattern engine',
      /npm run build:native/,
    ],
    [
      'a state directory that cannot be written',
      machine({ isWritable: (directory) => directory !== '/var/lib/postern' }),
      'advice',
      'state directory',
      /install -d .*\/var\/lib\/postern/,
    ],
    [
      'no library for the store',
      machine({ tryStore: () => Promise.reject(new Error("Cannot find package 'lmdb'")) }),
      'advice',
      'state directory',
      /npm ci/,
    ],
    [
      'conntrack not loaded',
      machine({ files: { '/proc/sys/net/netfilter/nf_conntrack_max': undefined } }),
      'advice',
      'net.netfilter.nf_conntrack_max',
      /sysctl -w/,
    ],
  ] as const)('%s', async (_name, of, level, subject, remedy) => {
    const found = await troubles(of);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ level, subject });
    expect(found[0]?.remedy).toMatch(remedy);
  });

  test('no iptables: both programs of both families', async () => {
    const found = await troubles(machine({ findProgram: () => undefined }));
    expect(found.map((finding) => finding.subject)).toEqual([
      'iptables',
      'iptables-restore',
      'ip6tables',
      'ip6tables-restore',
    ]);
  });

  test('rules the kernel refuses', async () => {
    const found = await troubles(machine({ tryRules: async () => "Couldn't load match `bpf'" }));
    expect(found[0]).toMatchObject({ subject: 'rules of iptables-restore', detail: "Couldn't load match `bpf'" });
    expect(found[0]?.remedy).toContain('xt_bpf');
  });

  test('what may not be tried asks for root, not for modules', async () => {
    const found = await troubles(machine({ tryRules: async () => 'unshare failed: Operation not permitted' }));
    expect(found[0]?.remedy).toBe('run postern doctor as root');
  });
});

describe('IPv6', () => {
  const noPrograms6 = (name: string): string | undefined => (name.startsWith('ip6') ? undefined : `/usr/sbin/${name}`);

  test('off: its programs are not asked for', async () => {
    expect(
      await troubles(machine({ files: { '/proc/self/net/if_inet6': undefined }, findProgram: noPrograms6 })),
    ).toEqual([]);
  });

  test('when /proc does not tell, it counts as on', async () => {
    const hidden = { '/proc/self/net/if_inet6': undefined, '/proc/self/net/dev': undefined };
    expect(await troubles(machine({ files: hidden, findProgram: noPrograms6 }))).toHaveLength(2);
  });
});

describe('the trial of the pattern engine', () => {
  test('goes well here', async () => {
    expect(await tryPatterns(loadPatterns())).toBeUndefined();
  });

  test('sees an engine that overlooks what stands in the middle, and lets go of its sets', async () => {
    const addon = loadPatterns();
    const released: number[] = [];
    const blind = {
      compilePatterns: addon.compilePatterns,
      matchOnce: (set: number, text: string) => (text[40] === '7' ? [] : addon.matchOnce(set, text)),
      releasePatterns: (set: number) => {
        released.push(set);
        addon.releasePatterns(set);
      },
    };
    expect(await tryPatterns(blind)).toMatch(/^2 of \d+ texts with \/\[67\]\/ are judged wrongly$/);
    expect(released).toHaveLength(1);
  });
});

test('a directory that is not there yet can be written where its nearest neighbour can', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-doctor-'));
  expect(isWritable(join(folder, 'a', 'b'))).toBe(true);
  expect(existsSync(join(folder, 'a'))).toBe(false);
  writeFileSync(join(folder, 'file'), '');
  expect(isWritable(join(folder, 'file', 'c'))).toBe(false);
  rmSync(folder, { recursive: true });
});

test('an owner that cannot be seen is not called a fault', async () => {
  expect(await troubles(machine({ queueOwner: () => 'port id 4711' }))).toMatchObject([{ level: 'advice' }]);
});

test('a queue that Postern itself serves is well', async () => {
  expect(await troubles(machine({ queueOwner: () => 'pid 7 (node)' }))).toEqual([]);
});

test('the printout has a line for each finding, the remedy under it, and a summary', () => {
  const text = printFindings([
    { subject: 'a', level: 'good', detail: 'fine' },
    { subject: 'bcd', level: 'fault', detail: 'gone', remedy: 'fetch it' },
  ]);
  expect(text).toBe(
    'ok      a    fine\nFAULT   bcd  gone\n             -> fetch it\n1 fault(s) to mend before Postern can work here.\n',
  );
});

describe('postern doctor', () => {
  const captured = (stream: 'stdout' | 'stderr') => {
    const lines: string[] = [];
    const spy = vi.spyOn(process[stream], 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    return { lines, spy };
  };

  test.each([[['--queue', 'x']], [['--queue', '65536']], [['--nonsense']], [['word']]])(
    '%j is wrong usage',
    async (argv) => {
      const { lines, spy } = captured('stderr');
      expect(await runDoctor(argv)).toBe(2);
      spy.mockRestore();
      expect(lines.join('')).toContain('usage: postern doctor');
    },
  );

  test('on this machine: the exit code agrees with what it prints', async () => {
    const { lines, spy } = captured('stdout');
    const code = await runDoctor(['--json']);
    spy.mockRestore();
    const findings = JSON.parse(lines.join('')) as { level: string; subject: string }[];
    expect(findings.length).toBeGreaterThan(8);
    expect(code).toBe(findings.some((finding) => finding.level === 'fault') ? 1 : 0);
    expect(findings.find((finding) => finding.subject === 'Node.js')?.level).toBe('good');
  });
});
