import { setTimeout as delay } from 'node:timers/promises';
import { curlFetch } from './clients.ts';
import { enforce, POLICY, POLICY_SCENES } from './demo-policy.ts';
import { exchange, type Step, talk } from './dialogue.ts';
import { MAIL_ACCOUNT } from './dovecot.ts';
import { queueStates, routeFlood, startFlood, synReceived } from './flood.ts';
import { keepOpenLabs } from './lab.ts';
import { longMessage, plainMessage } from './messages.ts';
import { dialogue, logged, note, scene, shown } from './narrator.ts';
import { observe } from './observe.ts';
import { configurationOf, posternLogTexts } from './postern.ts';
import { until } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/** A guided tour: real servers and clients, Postern between them, and nothing staged but the order of things. */

const FLOOD = { synsASecond: 20_000, seconds: 4 } as const;
const HONEST_NOOPS = 50;
const HONEST_PAUSE_MS = 100;

const CONFIGURATION = configurationOf(
  [
    'esmtp alert on audit-trail on max-data 30000',
    'pop3 alert on audit-trail on secure-login',
    'imap alert on audit-trail on reset secure-login',
  ],
  [
    'hostname guard',
    // The count decides about aggressive mode: after so many SYNs the rate of a minute would for minutes to come.
    'ip inspect max-incomplete low 400',
    'ip inspect max-incomplete high 500',
    'ip inspect one-minute low 2000000000',
    'ip inspect one-minute high 2000000000',
    'ip inspect tcp max-incomplete host 100000',
    'ip inspect tcp synwait-time 5',
  ],
);

const { user, password } = MAIL_ACCOUNT;
const GREETED: readonly Step[] = [{ expect: '^220 ' }, ...exchange(['EHLO client.lab.example', '^250 '])];
const ENVELOPE = exchange(['MAIL FROM:<a@example.org>', '^250 '], ['RCPT TO:<u@example.com>', '^250 ']);
const BYE: readonly Step[] = [...exchange(['QUIT', '^221 ']), { waitForEnd: true }];

async function show(world: World, ...words: readonly string[]): Promise<void> {
  const finished = await posternOf(world).exec('show', ...words);
  shown(`show ${words.join(' ')}`, finished.stdout + finished.stderr);
}

/** Plays a dialogue and tells it from all sides. */
async function play(world: World, port: number, steps: readonly Step[]): Promise<void> {
  const before = posternLogTexts(posternOf(world)).length;
  dialogue(await observe(world, { port, steps }));
  logged(posternLogTexts(posternOf(world)).slice(before));
}

async function passed(world: World): Promise<void> {
  scene('Passed', "An ordinary message. Every byte arrives; only CHUNKING is hidden from the server's offer (X).");
  const message = `${plainMessage('hello').replaceAll(/^\./gm, '..')}.\r\n`;
  const steps = [...GREETED, ...ENVELOPE, ...exchange(['DATA', '^354 ']), { send: message }, { expect: '^250 ' }];
  const playing = play(world, 25, [...steps, { sleepMs: 2_000 }, ...BYE]);
  await until('the message to pass', async () =>
    (await posternOf(world).sessions()).some(({ bytes }) => bytes.initiator > 200),
  );
  const sessions = await posternOf(world).exec('show', 'ip', 'inspect', 'sessions');
  await playing;
  shown('show ip inspect sessions   (while it lasted)', sessions.stdout + sessions.stderr);
  scene('Passed', 'An IMAP session that turns on TLS: once decided, the kernel forwards it without Postern.');
  world.dovecot.deliver(plainMessage('in the box'));
  const where = { scheme: 'imap', host: world.lab.target.v4, path: 'INBOX;MAILINDEX=1' } as const;
  const fetched = await curlFetch(world.lab.client, where, ['--ssl-reqd']);
  note(`  curl imap://…/INBOX;MAILINDEX=1 --ssl-reqd: exit ${fetched.code}, ${fetched.stdout.length} bytes`);
}

async function masked(world: World): Promise<void> {
  scene('Masked', 'A verb that is not SMTP becomes a row of x on its way; the server refuses it in its own words.');
  await play(world, 25, [
    { expect: '^220 ' },
    ...exchange(['HELO client.lab.example', '^250 '], ['XYZZY open sesame', '^5']),
    ...BYE,
  ]);
}

async function refused(world: World): Promise<void> {
  scene('Refused', 'secure-login: a POP3 client that would send its password in clear is stopped before it does.');
  await play(world, 110, [{ expect: '^\\+OK' }, { send: `USER ${user}\r\n` }, { waitForEnd: true }]);
  scene('Refused', 'IMAP LOGIN with `reset` configured: both ends get an RST, the server never sees the line.');
  await play(world, 143, [{ expect: '^\\* OK' }, { send: `a1 LOGIN ${user} ${password}\r\n` }, { waitForEnd: true }]);
  scene('Refused', 'An unknown command before authentication.');
  await play(world, 110, [{ expect: '^\\+OK' }, { send: 'XYZZY\r\n' }, { waitForEnd: true }]);
  scene('Refused', "A message beyond max-data, sent by a real Postfix queue: it bounces with the firewall's words.");
  const to = 'u+large@example.com';
  await world.queue?.submit(longMessage('too large', 1_000), 'a@example.org', to);
  const fate = await world.queue?.waitForFate(to);
  note(`  ${fate?.line.replace(/^.*postfix/, 'postfix') ?? ''}`);
  note(`  messages in the server's mailbox: ${world.postfix.mailbox().length} (the one that passed)`);
}

/** A session that asks NOOP ten times a second, and how long it waited for the slowest answer. */
async function honestSession(world: World): Promise<string> {
  const noops = Array.from({ length: HONEST_NOOPS }, () => [
    ...exchange(['NOOP', '^250 ']),
    { sleepMs: HONEST_PAUSE_MS },
  ]);
  const steps = [...GREETED, ...noops.flat(), ...BYE];
  const started = performance.now();
  const { end, stoppedAt } = await talk(world.lab.client, { host: world.lab.target.v4, port: 25, steps });
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  const course = stoppedAt === undefined ? 'every NOOP was answered' : `it came to step ${stoppedAt}`;
  return `${course}, ended ${end === 'fin' ? 'in an orderly way' : `with ${end}`} after ${seconds} s`;
}

async function flooded(world: World): Promise<void> {
  const { synsASecond, seconds } = FLOOD;
  scene('Flooded', `${synsASecond} SYNs a second from spoofed addresses for ${seconds} s, while a session goes on.`);
  const postern = posternOf(world);
  await routeFlood(world.lab);
  const honest = honestSession(world);
  await delay(500);
  const flood = startFlood(world.lab.client, FLOOD);
  await postern.waitForLog(/ALERT_ON/);
  await delay(1_000);
  await show(world, 'ip', 'inspect', 'statistics');
  note(`  half-open connections in the server's kernel: ${await synReceived(world.lab.server)}`);
  await flood.exited;
  note(`  the flood: ${flood.output().trim()}`);
  note(`  the honest session: ${await honest}`);
  await postern.waitForLog(/ALERT_OFF/, 30_000);
  note(`  a while later, half-open connections in the server's kernel: ${await synReceived(world.lab.server)}`);
  const [gate, ...workers] = await queueStates(world.lab.router);
  const lost = workers.reduce((sum, queue) => sum + queue.lost, 0);
  note(`  packets lost in the queue of SYNs: ${gate?.lost ?? 0}; in those of the sessions: ${lost}`);
  const alerts = postern.log().filter(({ mnemonic }) => mnemonic?.startsWith('ALERT_') === true);
  logged(alerts.map(({ mnemonic, msg }) => `${mnemonic}: ${msg}`));
}

async function judgedByPolicy(world: World): Promise<void> {
  note('\nNow another configuration: a zone-pair with an application policy. The reload disturbs nobody.');
  await enforce(world, POLICY);
  shown('', POLICY);
  for (const { title, story, steps } of POLICY_SCENES) {
    scene(title, story);
    await play(world, 25, steps);
  }
  await show(world, 'postern', 'learned');
  await show(world, 'policy-map', 'type', 'inspect', 'zone-pair');
}

async function main(keep: boolean): Promise<void> {
  note('Making three namespaces (client, router, server), their mail servers, and Postern in the router.');
  const world = await createWorld({ configuration: CONFIGURATION, sendingQueue: true });
  note(`Postern was ready ${Math.round(posternOf(world).readyAfterMs)} ms after its start. Its configuration:`);
  shown('', CONFIGURATION);
  for (const act of [passed, masked, refused, flooded, judgedByPolicy]) await act(world);
  scene('The balance', 'Packets add up: received = accepted + rewritten + dropped.');
  await show(world, 'ip', 'inspect', 'statistics');
  if (keep) {
    keepOpenLabs();
    const { client, router, server } = world.lab;
    note('\nThe lab stays up until the next demo or lab test. Look around with:');
    for (const { name } of [client, router, server]) note(`  ip netns exec ${name} bash`);
    note(`  bin/postern show ip inspect sessions --control ${posternOf(world).controlSocket}`);
    process.exit(0);
  }
  await world.close();
  note('\nThe lab is gone; nothing of it is left on this machine.');
}

await main(process.argv.includes('--keep'));
