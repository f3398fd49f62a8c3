import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCapture } from './capture.ts';
import { exchange, type Step, talk } from './dialogue.ts';
import { ADDRESSES, createLab, type Lab } from './lab.ts';
import { type Listener, startListener } from './listener.ts';
import { PERMISSIVE, POSTERN, startPostern } from './postern.ts';
import { type Running, until } from './process.ts';

/** Postern as a service manager sees it: notifications, signals, rules, what it runs as. */

/** A notification socket: unix datagrams are nothing that Node can receive. */
const RECEIVER = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('listening', flush=True)
while True:
    print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`;
const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
const MAIL_HOST = ADDRESSES.sink.v4;

let lab: Lab;
let listener: Listener;
let runs = 0;

beforeAll(async () => {
  lab = await createLab();
  const replies = [['^NOOP|^HELO|^MAIL|^RCPT', '250 done\r\n'] as const, ['^QUIT', '221 bye\r\n'] as const];
  listener = await startListener(lab.server, { host: MAIL_HOST, port: 25, greeting: '220 listener\r\n', replies });
});
afterAll(async () => {
  await listener?.stop();
  await lab?.close();
});

interface Daemon extends Running {
  readonly configuration: string;
  readonly control: string;
}

/** `postern run` with files of its own below the lab's folder. */
function daemon(
  words: readonly string[] = [],
  prefix: readonly string[] = [],
  env: Record<string, string> = {},
): Daemon {
  const stem = join(lab.folder, `run${++runs}`);
  const [configuration, control] = [`${stem}.conf`, `${stem}.sock`];
  writeFileSync(configuration, PERMISSIVE, { mode: 0o644 });
  const files = ['--config', configuration, '--control', control, '--state-dir', `${stem}.state`];
  const running = lab.router.start([...prefix, POSTERN, 'run', ...files, ...words], { env });
  return { ...running, configuration, control };
}

const rulesOf = async (): Promise<string[]> =>
  (await Promise.all(['iptables-save', 'ip6tables-save'].map((save) => lab.router.must([save]))))
    .join('\n')
    .split('\n')
    .filter((line) => line.includes('POSTERN'))
    .map((line) => line.replace(/ \[\d+:\d+\]$/, ''));

describe('systemd', () => {
  it('is told of readiness, life, reloads and the end', async () => {
    const socket = join(lab.folder, 'notify.sock');
    const receiver = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    let heard = '';
    receiver.stdout.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    await until('the receiver', () => heard.includes('listening'));
    const service = daemon([], [], { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1000000' });
    try {
      await until('READY', () => heard.includes('READY=1'));
      expect(service.output()).toContain('ready');
      await until('a fed watchdog', () => heard.split('WATCHDOG=1').length > 3);
      process.kill(service.pid, 'SIGHUP');
      await until('RELOADING and READY', () => /RELOADING=1 MONOTONIC_USEC=\d+\n(.*\n)*READY=1/.test(heard));
      writeFileSync(service.configuration, 'ip inspect bogus\n');
      process.kill(service.pid, 'SIGHUP');
      await until('the bad configuration', () => /READY=1 STATUS=.*bad/.test(heard));
      expect(await service.stop()).toBe(0);
      await until('STOPPING', () => heard.includes('STOPPING=1'));
    } finally {
      receiver.kill('SIGKILL');
      await once(receiver, 'close');
      await service.stop();
    }
  });
});

describe('capabilities', () => {
  it.each([
    ['none', [], /CAP_NET_ADMIN is missing/],
    ['CAP_NET_ADMIN alone', ['net_admin'], /CAP_NET_RAW is missing/],
    ['CAP_NET_RAW alone', ['net_raw'], /CAP_NET_ADMIN is missing/],
  ])('%s: says in one line which one it lacks', async (_name, has, expected) => {
    const caps = has.length === 0 ? [] : [`--inh-caps=+${has.join(',+')}`, `--ambient-caps=+${has.join(',+')}`];
    const service = daemon(['--queue', '50'], [...NOBODY, ...caps]);
    expect(await service.exited).toBe(1);
    expect(service.output()).toMatch(expected);
    expect(service.output().trim().split('\n')).toHaveLength(1);
  });

  it('CAP_NET_ADMIN and CAP_NET_RAW are enough, as a user of its own', async () => {
    const caps = ['--inh-caps=+net_admin,+net_raw', '--ambient-caps=+net_admin,+net_raw'];
    const stem = join(lab.folder, 'nobody');
    await lab.router.must(['install', '-d', '-o', '65534', stem]);
    const service = lab.router.start([
      ...[...NOBODY, ...caps, POSTERN, 'run', '--config', writeConfiguration(), '--install-rules'],
      ...['--control', join(stem, 'c.sock'), '--state-dir', stem],
    ]);
    await service.waitFor(/\bready\b/, 20_000);
    const answer = await talk(lab.client, {
      host: MAIL_HOST,
      port: 25,
      steps: [{ expect: '^220 ' }, ...exchange(['HELO x', '^250 '], ['QUIT', '^221 '])],
    });
    expect(answer.stoppedAt).toBeUndefined();
    expect(await service.stop()).toBe(0);
    expect(await rulesOf()).toEqual([]);
  });
});

function writeConfiguration(): string {
  const file = join(lab.folder, `configuration${++runs}.conf`);
  writeFileSync(file, PERMISSIVE, { mode: 0o644 });
  return file;
}

describe('rules', () => {
  it('print, install and remove: the same set, once, and nothing left', async () => {
    const file = writeConfiguration();
    const rules = (action: string) => lab.router.run([POSTERN, 'rules', action, '--config', file, '--queue', '7']);
    expect((await rules('print')).stdout).toContain('--queue-num 7');
    expect(await rulesOf()).toEqual([]);
    expect((await rules('install')).code).toBe(0);
    const once = await rulesOf();
    expect(once.filter((line) => line.includes('NFQUEUE')).length).toBeGreaterThan(1);
    expect((await rules('install')).code).toBe(0);
    expect(await rulesOf()).toEqual(once);
    expect((await rules('remove')).code).toBe(0);
    expect(await rulesOf()).toEqual([]);
    expect((await rules('remove')).code).toBe(0);
  });

  it('are installed with run --install-rules, and left alone without it', async () => {
    const plain = daemon();
    await plain.waitFor(/\bready\b/, 20_000);
    expect(await rulesOf()).toEqual([]);
    expect(await plain.stop()).toBe(0);
    const steering = daemon(['--install-rules']);
    await steering.waitFor(/\bready\b/, 20_000);
    expect((await rulesOf()).length).toBeGreaterThan(10);
    expect(await steering.stop()).toBe(0);
    expect(await rulesOf()).toEqual([]);
  });
});

describe('SIGTERM', () => {
  it('gives a packet in hand its verdict: nothing unjudged gets through', async () => {
    const folder = join(lab.folder, 'held');
    await lab.router.must(['mkdir', '-p', folder]);
    // Rules that stay: with `--install-rules` they would go, and the client would simply send again.
    const options = { router: lab.router, folder, configuration: PERMISSIVE, installRules: false };
    const postern = await startPostern(options);
    const rules = ['--config', postern.configurationFile];
    await lab.router.must([POSTERN, 'rules', 'install', ...rules]);
    const inside = await startCapture(lab.router, 'inside0', join(folder, 'inside.pcap'));
    // Behind DATA everything is held until the server has answered, which this one never does.
    const envelope = [
      ['HELO x', '^250 '] as const,
      ['MAIL FROM:<a@x>', '^250 '] as const,
      ['RCPT TO:<b@y>', '^250 '] as const,
    ];
    const held: readonly Step[] = [
      { send: 'DATA\r\n' },
      { sleepMs: 200 },
      { send: 'held-back\r\n' },
      { sleepMs: 2_500 },
    ];
    const steps: readonly Step[] = [{ expect: '^220 ' }, ...exchange(...envelope), ...held];
    const talking = talk(lab.client, { host: MAIL_HOST, port: 25, steps });
    await until('a held packet', async () => (await postern.statistics()).packets.held > 0, 5_000);
    const from = Date.now();
    expect(await postern.stop()).toBe(0);
    expect(Date.now() - from).toBeLessThan(2_000);
    expect(existsSync(postern.controlSocket)).toBe(false);
    await talking;
    await inside.stop();
    await lab.router.must([POSTERN, 'rules', 'remove', ...rules]);
    expect(listener.lines()).toContain('DATA');
    expect(listener.lines()).not.toContain('held-back');
    expect(inside.textOfPort(25)).not.toContain('held-back');
  });
});

describe('the control socket', () => {
  it('that a dead daemon left behind is replaced; the one of a living daemon is not', async () => {
    const first = daemon(['--queue', '60']);
    await first.waitFor(/\bready\b/, 20_000);
    const words = ['--config', first.configuration, '--control', first.control, '--queue', '70'];
    const second = await lab.router.run([POSTERN, 'run', ...words]);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/^% another Postern answers on .*\n$/);
    await first.stop('SIGKILL');
    expect(existsSync(first.control)).toBe(true);
    const third = lab.router.start([POSTERN, 'run', ...words]);
    await third.waitFor(/\bready\b/, 20_000);
    expect(await third.stop()).toBe(0);
  });
});
