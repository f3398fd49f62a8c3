import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCapture } from './capture.ts';
import { exchange, type Step, talk } from './dialogue.ts';
import { MAIL_ACCOUNT } from './dovecot.ts';
import { configurationOf, POSTERN, posternLogTexts, replay } from './postern.ts';
import { createWorld, posternOf, type World } from './world.ts';

/**
 * Logins by every mechanism that shows a secret, good and bad, allowed and refused: whatever Postern writes anywhere
 * (log, show, debug, metrics, replay) must hold no form of it.
 */

const { user } = MAIL_ACCOUNT;
const SECRETS = [MAIL_ACCOUNT.password, 'Wr0ng-passw0rd-77', 'QWxhZGRpbjpvcGVu'];
const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const forms = SECRETS.flatMap((secret) => [
  secret,
  base64(secret),
  base64(`\0${user}\0${secret}`),
  base64(`${user} ${secret}`),
]);

const GREETED = { pop3: { expect: '^\\+OK' }, imap: { expect: '^\\* OK' }, smtp: { expect: '^220 ' } } as const;
const PORTS = { pop3: 110, imap: 143, smtp: 25 } as const;
const settle = { sleepMs: 150 } as const;
/** Dialogues stop where Postern refuses; each is tried to its end otherwise. */
const line = (text: string, answer: string): Step[] => [{ send: `${text}\r\n` }, { expect: answer, timeoutMs: 2_000 }];

function logins(secret: string): readonly (readonly [keyof typeof PORTS, readonly Step[]])[] {
  const plain = base64(`\0${user}\0${secret}`);
  const ehlo = exchange(['EHLO client.lab.example', '^250 ']);
  return [
    ['pop3', exchange([`USER ${user}`, '^.'], [`PASS ${secret}`, '^.'])],
    ['pop3', line(`PASS ${secret}`, '^.')],
    ['pop3', line(`XPASS ${secret}`, '^.')],
    ['pop3', line(`AUTH PLAIN ${plain}`, '^.')],
    ['pop3', [...line('AUTH PLAIN', '^\\+'), ...line(plain, '^.')]],
    ['pop3', [...line('AUTH LOGIN', '^\\+'), ...line(base64(user), '^\\+'), ...line(base64(secret), '^.')]],
    ['pop3', line(`APOP ${user} ${secret}`, '^.')],
    ['imap', line(`a LOGIN ${user} "${secret}"`, '^(a|\\*) ')],
    [
      'imap',
      [
        ...line(`a LOGIN {${user.length}}`, '^\\+'),
        ...line(`${user} {${secret.length}}`, '^\\+'),
        ...line(secret, '^a'),
      ],
    ],
    ['imap', line(`a LOGIN {${user.length}+}\r\n${user} {${secret.length}+}\r\n${secret}`, '^(a|\\*) ')],
    ['imap', line(`a AUTHENTICATE PLAIN ${plain}`, '^(a|\\*) ')],
    ['imap', [...line('a AUTHENTICATE PLAIN', '^\\+'), ...line(plain, '^a')]],
    ['imap', line(`a LOGON ${user} ${secret}`, '^(a|\\*) ')],
    ['imap', line(`${secret} ${secret}`, '^.')],
    ['smtp', [...ehlo, ...line(`AUTH PLAIN ${plain}`, '^\\d')]],
    ['smtp', [...ehlo, ...line('AUTH PLAIN', '^334'), ...line(plain, '^\\d')]],
    ['smtp', [...ehlo, ...line('AUTH LOGIN', '^334'), ...line(base64(user), '^334'), ...line(base64(secret), '^\\d')]],
    ['smtp', [...ehlo, ...line(`AUTH LOGIN ${base64(user)}`, '^334'), ...line(base64(secret), '^\\d')]],
    ['smtp', line(`AUTH PLAIN ${plain}`, '^\\d')],
    ['smtp', [...ehlo, ...line(`XAUTH ${plain}`, '^\\d')]],
    ['smtp', [...ehlo, ...line('AUTH LOGIN', '^334'), ...line('*', '^\\d'), ...line(base64(secret), '^\\d')]],
  ];
}

const PROTOCOLS = (options: string): string[] => [
  'esmtp alert on audit-trail on',
  `pop3 alert on audit-trail on ${options}`,
  `imap alert on audit-trail on ${options}`,
];

describe.each(['', 'secure-login'])('no secret is written anywhere, options: "%s"', (options) => {
  let world: World;
  let written = '';
  const configuration = configurationOf(PROTOCOLS(options), ['ip inspect log drop-pkt']);

  beforeAll(async () => {
    world = await createWorld({ configuration });
    const postern = posternOf(world);
    const { router, client, target } = world.lab;
    const control = ['--control', postern.controlSocket];
    const debugs = ['detailed', 'events', 'smtp', 'pop3', 'imap', 'tcp', 'timers'].map((what) =>
      router.start([POSTERN, 'debug', 'ip', 'inspect', what, ...control]),
    );
    const capture = await startCapture(router, 'outside0', join(world.folder('wire'), 'logins.pcap'));
    const dialogues = SECRETS.flatMap(logins).map(([protocol, steps]) =>
      talk(client, { host: target.v4, port: PORTS[protocol], steps: [GREETED[protocol], ...steps, settle] }),
    );
    const shows = [
      'show ip inspect sessions detail',
      'show ip inspect all',
      'show ip inspect statistics',
      'show tech-support',
    ];
    const answers: string[] = [];
    let isOver = false;
    const watch = (async () => {
      while (!isOver) {
        await delay(250);
        for (const show of shows) {
          for (const json of [[], ['--json']]) {
            const { stdout, stderr } = await postern.exec(...show.split(' '), ...json);
            answers.push(stdout, stderr);
          }
        }
      }
    })();
    await Promise.all(dialogues);
    isOver = true;
    await watch;
    process.kill(postern.pid, 'SIGUSR1');
    await capture.stop();
    const rules = join(world.lab.folder, 'replayed.conf');
    writeFileSync(rules, configuration);
    const forwarded = join(world.lab.folder, 'forwarded.pcap');
    const text = await replay(capture.file, rules);
    const json = await replay(capture.file, rules, ['--json', '--write', forwarded]);
    expect([text.code, json.code]).toEqual([0, 0]);
    for (const debug of debugs) await debug.stop('SIGINT');
    const streams = debugs.map((debug) => debug.output());
    written = [postern.output(), ...streams, ...answers, text.stdout, text.stderr, json.stdout, json.stderr].join('\n');
  });
  afterAll(async () => {
    await world?.close();
  });

  it('and something was written', () => {
    expect(posternLogTexts(posternOf(world)).filter((text) => text.startsWith('Stop '))).not.toEqual([]);
    expect(written).toContain('CBAC');
    expect(written).toContain('"initiator"');
  });

  it.each(forms)('%s', (form) => {
    const at = written.indexOf(form);
    expect(at < 0 ? '' : written.slice(Math.max(0, at - 200), at + 100)).toBe('');
  });
});
