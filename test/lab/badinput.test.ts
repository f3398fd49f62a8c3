import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Talk, talk } from './dialogue.ts';
import { configurationOf, PERMISSIVE, POSTERN } from './postern.ts';
import { run } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/** Whatever Postern is fed, it says what is wrong, goes on judging, and never opens the gate. */

const BROKEN = configurationOf(
  ['pop3', 'esmtp alert perhaps', 'nonsense'],
  ['ip inspect max-incomplete high many', 'hostname x'],
);
const WITHOUT_POP3 = configurationOf(['esmtp', 'pop3 secure-login reset']);

describe('bad input', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ configuration: configurationOf(['esmtp', 'pop3', 'imap']) });
  });
  afterAll(async () => {
    await world?.close();
  });

  const pop3 = (line: string): Promise<Talk> =>
    talk(world.lab.client, {
      host: world.lab.target.v4,
      port: 110,
      steps: [{ expect: '^\\+OK' }, ...exchange([line, '^\\+OK'], ['QUIT', '^\\+OK'])],
    });

  it('a broken configuration is refused at start, every error at its place', async () => {
    const file = join(world.lab.folder, 'broken.conf');
    writeFileSync(file, BROKEN);
    const control = ['--control', join(world.lab.folder, 'other.sock'), '--state-dir', join(world.lab.folder, 'other')];
    const finished = await world.lab.router.run([POSTERN, 'run', '--config', file, ...control, '--queue', '100']);
    expect(finished.code).toBe(1);
    const errors = finished.stderr.split('\n').filter((line) => /broken\.conf:\d+:\d+: % /.test(line));
    expect(errors.map((line) => Number(/:(\d+):\d+: /.exec(line)?.[1]))).toEqual([1, 4, 5]);
    expect(finished.stderr).toMatch(/^\s+\^/m);
  });

  it('`postern check` says the same, and 0 to a good file', async () => {
    const file = join(world.lab.folder, 'checked.conf');
    writeFileSync(file, BROKEN);
    const broken = await run([POSTERN, 'check', file]);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(/checked\.conf:1:\d+: % .*[\s\S]*checked\.conf:4:\d+: % /);
    writeFileSync(file, PERMISSIVE);
    expect(await run([POSTERN, 'check', file])).toMatchObject({ code: 0 });
  });

  it('a broken configuration at reload keeps the old policy and says so; a good one takes effect', async () => {
    const postern = posternOf(world);
    postern.reload(BROKEN);
    await postern.waitForLog(/postern\.conf:1:/);
    expect((await pop3('USER u1')).stoppedAt).toBeUndefined();
    postern.reload(WITHOUT_POP3);
    await expect.poll(async () => (await pop3('USER u1')).end, { timeout: 5_000 }).toBe('reset');
    postern.reload(PERMISSIVE);
    await expect.poll(async () => (await pop3('USER u1')).end, { timeout: 5_000 }).not.toBe('reset');
  });

  it.each([
    ['noise', Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * 167) % 256))],
    ['half a request', Buffer.from('POST /exec HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"comm')],
    ['no JSON', Buffer.from('POST /exec HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n{{{{')],
    [
      'a huge body',
      Buffer.from(`POST /exec HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n${'x'.repeat(100_000)}`),
    ],
    ['an unknown path', Buffer.from('GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n')],
  ])('the control socket fed %s answers with an error and goes on', async (_name, bytes) => {
    const postern = posternOf(world);
    const answer = await feed(postern.controlSocket, bytes);
    expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d|$)/);
    expect((await postern.sessions()).length).toBeGreaterThanOrEqual(0);
  });

  it('an unknown command on the control socket is an error of ours', async () => {
    const finished = await posternOf(world).exec('show', 'ip', 'nonsense');
    expect(finished.code).toBe(2);
    expect(finished.stdout + finished.stderr).toContain('%');
  });

  it('says that nobody listens on a control socket', async () => {
    const finished = await run([POSTERN, 'show', 'ip', 'inspect', 'sessions', '--control', '/nonexistent/sock']);
    expect(finished.code).toBe(1);
    expect(finished.stderr.trim().split('\n')).toHaveLength(1);
  });

  it.each([
    ['net_admin', /CAP_NET_ADMIN/],
    ['net_raw', /CAP_NET_RAW/],
  ])('without %s it names what it lacks', async (capability, named) => {
    const file = join(world.lab.folder, 'capability.conf');
    writeFileSync(file, PERMISSIVE);
    const without = ['setpriv', '--bounding-set', `-${capability}`, '--inh-caps', `-${capability}`];
    const control = ['--control', join(world.lab.folder, 'cap.sock'), '--state-dir', join(world.lab.folder, 'cap')];
    const words = [POSTERN, 'run', '--config', file, ...control, '--queue', '200'];
    const finished = await world.lab.router.run([...without, ...words], { timeoutMs: 10_000 });
    expect(finished.code).toBe(1);
    expect(finished.stdout + finished.stderr).toMatch(named);
  });

  it('a second daemon on the same queue is told who owns it', async () => {
    const file = join(world.lab.folder, 'second.conf');
    writeFileSync(file, PERMISSIVE);
    const control = [
      '--control',
      join(world.lab.folder, 'second.sock'),
      '--state-dir',
      join(world.lab.folder, 'second'),
    ];
    const finished = await world.lab.router.run([POSTERN, 'run', '--config', file, ...control], { timeoutMs: 10_000 });
    expect(finished.code).toBe(1);
    expect(finished.stdout + finished.stderr).toContain(String(posternOf(world).pid));
    expect((await pop3('USER u1')).stoppedAt).toBeUndefined();
  });

  it.each([[['run', '--nonsense']], [['replay']], [['nonsense-command']]])(
    'wrong usage %j is exit code 2',
    async (words) => {
      expect(await run([POSTERN, ...words])).toMatchObject({ code: 2 });
    },
  );
});

/** What the socket answers until it closes or half a second has passed in silence. */
function feed(socketPath: string, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(socketPath, () => socket.write(bytes));
    socket.setTimeout(500, () => socket.destroy());
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
