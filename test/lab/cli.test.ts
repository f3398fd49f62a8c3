import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exchange, type Step, type Talk, talk } from './dialogue.ts';
import { observe } from './observe.ts';
import { configurationOf, POSTERN } from './postern.ts';
import { run, until } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/** The commands a person types, against a daemon that has sessions. */

const GREETED: readonly Step[] = [{ expect: '^220 ' }, ...exchange(['EHLO client.lab.example', '^250 '])];
const CONFIGURATION = configurationOf(['esmtp audit-trail on', 'pop3 audit-trail on'], ['hostname guard']);

let world: World;
beforeAll(async () => {
  world = await createWorld({ configuration: CONFIGURATION });
});
afterAll(async () => {
  await world?.close();
});

const show = async (...words: readonly string[]): Promise<string> => {
  const finished = await posternOf(world).exec(...words);
  expect(finished, words.join(' ')).toMatchObject({ code: 0, stderr: '' });
  return finished.stdout;
};

/** One SMTP and one POP3 session, by IPv4 and IPv6, that last until the callback has ended. */
async function whileTalking(during: () => Promise<void>): Promise<readonly Talk[]> {
  const { client, target } = world.lab;
  const wait: Step = { waitForEnd: true, timeoutMs: 5_000 };
  const talking = Promise.all([
    talk(client, { host: target.v4, port: 25, steps: [...GREETED, wait] }),
    talk(client, { host: target.v6, port: 110, steps: [{ expect: '^\\+OK' }, wait] }),
  ]);
  await until('two sessions', async () => {
    const sessions = await posternOf(world).sessions();
    const isReady = (bytes: number): boolean => bytes > 50;
    return sessions.filter(({ state, bytes }) => state === 'SIS_OPEN' && isReady(bytes.responder)).length === 2;
  });
  await during();
  await show('clear', 'ip', 'inspect', 'session', 'all');
  return await talking;
}

describe('show', () => {
  it('sessions: in words, in detail, filtered and abbreviated', async () => {
    await whileTalking(async () => {
      const text = await show('show', 'ip', 'inspect', 'sessions');
      expect(text).toMatch(/^Established Sessions\n( Session [0-9A-F]{8} .*\n){2}$/);
      expect(text).toMatch(/ \(10\.80\.1\.2:\d+\)=>\(10\.80\.2\.2:25\) smtp SIS_OPEN\n/);
      expect(text).toMatch(/ \[fd80:1::2\]:\d+=>\[fd80:2::2\]:110 pop3 SIS_OPEN\n/);
      expect(await show('sh', 'ip', 'insp', 'sess')).toBe(text);
      const detail = await show('sh ip insp sess det');
      expect(detail).toMatch(
        /^ {2}Created 00:00:\d\d, Last heard 00:00:\d\d\n {2}Bytes sent \(initiator:responder\) \[\d+:\d+\]$/m,
      );
      expect((await show('show', 'ip', 'inspect', 'sessions', '|', 'include', 'pop3')).split('\n')).toHaveLength(2);
      expect(await show('show ip inspect sessions | exclude Session')).toBe('');
    });
  });

  it('sessions --json: the contract, field for field', async () => {
    await whileTalking(async () => {
      const sessions = JSON.parse(await show('show', 'ip', 'inspect', 'sessions', '--json')) as Record<
        string,
        unknown
      >[];
      const smtp = sessions.find(({ protocol, state }) => protocol === 'smtp' && state === 'SIS_OPEN');
      expect(smtp).toEqual({
        id: expect.stringMatching(/^[0-9A-F]{8}$/),
        protocol: 'smtp',
        state: 'SIS_OPEN',
        stage: expect.any(String),
        initiator: { address: '10.80.1.2', port: expect.any(Number) },
        responder: { address: '10.80.2.2', port: 25 },
        bytes: { initiator: 'EHLO client.lab.example\r\n'.length, responder: expect.any(Number) },
        createdSecondsAgo: expect.any(Number),
        lastHeardSecondsAgo: expect.any(Number),
        offloaded: false,
        packets: expect.any(Number),
        rule: 'LAB',
        inInterface: 'outside0',
        outInterface: 'inside0',
      });
    });
  });

  it('statistics --json: the contract, and packets add up', async () => {
    const statistics = JSON.parse(await show('show', 'ip', 'inspect', 'statistics', '--json')) as Record<string, never>;
    expect(statistics).toMatchObject({
      packets: Object.fromEntries(
        ['received', 'accepted', 'rewritten', 'dropped', 'held', 'kernelDropped'].map((name) => [
          name,
          expect.any(Number),
        ]),
      ),
      sessions: Object.fromEntries(
        ['established', 'halfOpen', 'terminating', 'created'].map((name) => [name, expect.any(Number)]),
      ),
      refusals: expect.any(Object),
      masks: { 'ehlo-keyword': expect.any(Number) },
      aggressive: false,
    });
    const { received, accepted, rewritten, dropped, held } = (await posternOf(world).statistics()).packets;
    expect(received).toBe(accepted + rewritten + dropped + held);
  });

  it('config, interfaces, name and all', async () => {
    const config = await show('show', 'ip', 'inspect', 'config');
    expect(config).toContain('max-incomplete sessions thresholds are [400:500]\n');
    expect(config).toMatch(
      /^ Inspection name LAB\n {4}esmtp max-data 20971520 alert is on audit-trail is on timeout 3600$/m,
    );
    const interfaces = await show('show', 'ip', 'inspect', 'interfaces');
    expect(interfaces).toMatch(/^ Interface any\n {2}Inbound inspection rule is LAB$/m);
    expect(config).toContain(await show('show', 'ip', 'inspect', 'name', 'LAB'));
    expect(await show('show', 'ip', 'inspect', 'all')).toContain(config + interfaces);
  });

  it.each([
    ['show ip inspect', 2, '% Incomplete command.'],
    ['show ip inspect bogus', 2, "% Invalid input detected at '^' marker."],
    ['show ip inspect s', 2, '% Ambiguous command:  "show ip inspect s"'],
    ['show ip inspect name NONE', 1, '% Inspection rule NONE is not defined'],
    ['clear ip inspect session DEADBEEF', 1, '% No session DEADBEEF'],
  ])('%s: exit code %i and IOS’s words', async (command, code, words) => {
    const finished = await posternOf(world).exec(...command.split(' '));
    expect(finished.code).toBe(code);
    expect(finished.stderr).toContain(words);
    expect(finished.stdout).toBe('');
  });
});

describe('clear', () => {
  it('session ID ends this one with RST to both, and no other', async () => {
    const steps: readonly Step[] = [...GREETED, { waitForEnd: true }];
    const talking = observe(world, { port: 25, steps });
    const spared = talk(world.lab.client, {
      host: world.lab.target.v4,
      port: 110,
      steps: [{ expect: '^\\+OK' }, { sleepMs: 2_500 }, ...exchange(['QUIT', '^\\+OK'])],
    });
    const id = await until('the session', async () => {
      const sessions = await posternOf(world).sessions();
      return sessions.find(
        ({ protocol, state, bytes }) => protocol === 'smtp' && state === 'SIS_OPEN' && bytes.initiator > 10,
      )?.id;
    });
    await until('the other one', async () =>
      (await posternOf(world).sessions()).some(({ protocol, state }) => protocol === 'pop3' && state === 'SIS_OPEN'),
    );
    await show('clear', 'ip', 'inspect', 'session', id);
    const seen = await talking;
    expect(seen.client.end).toBe('reset');
    expect(seen.resets).toEqual({ client: true, server: true });
    expect((await spared).stoppedAt).toBeUndefined();
  });

  it('statistics begins to count anew and says when', async () => {
    expect(await show('show', 'ip', 'inspect', 'statistics')).toContain('Last statistic reset never\n');
    await show('clear', 'ip', 'inspect', 'statistics');
    const text = await show('show', 'ip', 'inspect', 'statistics');
    expect(text).toMatch(/^Last statistic reset 00:00:0\d$/m);
    expect(text).toContain('since subsystem startup or last reset 0\n');
    expect(text).toContain('Maxever session creation rate 0\n');
  });
});

describe('debug', () => {
  it('streams what its topic asks for until interrupted', async () => {
    const control = ['--control', posternOf(world).controlSocket];
    const stream = world.lab.router.start([POSTERN, 'debug', 'ip', 'inspect', 'pop3', ...control]);
    const both = async (): Promise<boolean> => {
      await whileTalking(async () => {});
      return stream.output().includes('CBAC open: ');
    };
    await until('a line of pop3', both, 20_000);
    expect(stream.output()).toMatch(
      /^CBAC open: sis [0-9A-F]{8} pop3 \(\[fd80:1::2\]:\d+\) => \(\[fd80:2::2\]:110\) /m,
    );
    expect(stream.output()).not.toContain('smtp');
    expect(await stream.stop('SIGINT')).not.toBe(1);
  });

  it('tells sessions that come and go in the words of IOS, and undebug ends the stream', async () => {
    const control = ['--control', posternOf(world).controlSocket];
    const stream = world.lab.router.start([POSTERN, 'debug', 'ip', 'inspect', 'detailed', ...control]);
    const told = async (): Promise<boolean> => {
      await talk(world.lab.client, { host: world.lab.target.v4, port: 110, steps: exchange(['QUIT', '^\\+OK']) });
      return stream.output().includes('CBAC OBJ_DELETE: ');
    };
    await until('a session that goes', told, 20_000);
    expect(stream.output()).toMatch(/^CBAC OBJ_CREATE: create sis [0-9A-F]{8}$/m);
    expect(stream.output()).toMatch(
      /^CBAC\* sis [0-9A-F]{8} pak \d+ TCP \(10\.80\.1\.2:\d+\) => \(10\.80\.2\.2:110\)$/m,
    );
    expect(await show('undebug', 'all')).toBe('All possible debugging has been turned off\n');
    await until('the end', () => stream.output().endsWith('% debugging was turned off\n'));
  });
});

/** The prompt on a terminal of its own: types the lines and answers what the screen showed. */
const TERMINAL = `
import json, os, pty, select, sys, time
spec = json.load(sys.stdin)
pid, fd = pty.fork()
if pid == 0:
    os.execvp(spec['argv'][0], spec['argv'])
def read(until, limit):
    shown, end = b'', time.time() + limit
    while time.time() < end and until not in shown:
        if select.select([fd], [], [], 0.1)[0]:
            try: part = os.read(fd, 65536)
            except OSError: break
            if not part: break
            shown += part
    return shown.decode('latin1')
screen = read(spec['first'].encode(), 10)
for typed, until in spec['steps']:
    os.write(fd, typed.encode())
    screen += read(until.encode(), 5)
print(json.dumps({'screen': screen, 'code': os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}))
`;

async function terminal(steps: readonly (readonly [typed: string, until: string])[]) {
  const argv = [POSTERN, 'shell', '--control', posternOf(world).controlSocket];
  const spec = JSON.stringify({ argv, first: 'guard>', steps });
  const finished = await run(['python3', '-c', TERMINAL], { input: spec, env: { TERM: 'xterm' } });
  expect(finished.stderr).toBe('');
  return JSON.parse(finished.stdout) as { screen: string; code: number };
}

describe('the prompt', () => {
  beforeEach(() => writeFileSync(posternOf(world).configurationFile, CONFIGURATION));

  it('helps, completes, configures the running daemon, and saves', async () => {
    const before = readFileSync(posternOf(world).configurationFile, 'utf8');
    const { screen, code } = await terminal([
      ['show ip inspect ?', 'statistics'],
      ['conf\t', 'config'],
      ['\n', 'guard>'],
      ['configure terminal\n', "'^' marker"],
      ['enable\n', 'guard#'],
      ['conf t\n', '(config)#'],
      ['ip inspect name LAB imap secure-login\n', '(config)#'],
      ['interface any\n', '(config-if)#'],
      ['end\n', 'guard#'],
      ['show ip inspect name LAB | include imap\n', 'guard#'],
      ['write memory\n', '[OK]'],
      ['exit\n', 'nothing'],
    ]);
    expect(screen).toContain('interfaces');
    expect(screen).toMatch(/imap secure-login alert is on audit-trail is off timeout 3600/);
    expect(code).toBe(0);
    expect(before).not.toContain('imap');
    expect(readFileSync(posternOf(world).configurationFile, 'utf8')).toContain(
      'ip inspect name LAB imap secure-login\n',
    );
    const steps: readonly Step[] = [{ expect: 'OK' }, { send: 'a LOGIN u1 secret\r\n' }, { waitForEnd: true }];
    const seen = await observe(world, { port: 143, steps });
    expect(seen.toServer).not.toContain('LOGIN');
    expect(seen.client.received).toMatch(/^\* BYE guard refused: .*\r\na NO \[PRIVACYREQUIRED\] /m);
  });
});

describe('check', () => {
  it('says all that is wrong at once, with a caret under the word', async () => {
    const file = join(world.lab.folder, 'wrong.conf');
    writeFileSync(
      file,
      'ip inspect name A smtp bogus\nip inspect tcp synwait-time 0\ninterface any\n ip inspect NONE in\n',
    );
    const finished = await run([POSTERN, 'check', file]);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toBe(
      [
        `${file}:1:24: % Invalid input detected at '^' marker.`,
        'ip inspect name A smtp bogus',
        `${' '.repeat(23)}^`,
        `${file}:2:29: % Invalid input detected at '^' marker.`,
        'ip inspect tcp synwait-time 0',
        `${' '.repeat(28)}^`,
        `${file}:4:13: % inspection rule NONE is not defined`,
        ' ip inspect NONE in',
        `${' '.repeat(12)}^`,
        '',
      ].join('\n'),
    );
  });
});
