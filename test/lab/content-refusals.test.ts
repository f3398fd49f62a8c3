import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { swaks } from './clients.ts';
import { exchange, type Step } from './dialogue.ts';
import { type EximClient, eximClient } from './exim-client.ts';
import { arrivedUnchanged, longMessage, plainMessage } from './messages.ts';
import { observe } from './observe.ts';
import { createWorld, type World } from './world.ts';
import { zoned } from './zone-policy.ts';

/** What real senders make of a message that the policy refuses, wherever in it the reason stands. */

const APPLICATION = [
  'parameter-map type regex SENDERS',
  ' pattern "*@bad\\.example"',
  'parameter-map type regex SUBJECTS',
  ' pattern "Subject:*forbidden-subject*"',
  'parameter-map type regex MARKERS',
  ' pattern "*UD-421590*"',
  'class-map type inspect smtp match-any UNWANTED',
  ' match sender address regex SENDERS',
  ' match header regex SUBJECTS',
  ' match body regex MARKERS',
  'policy-map type inspect smtp P',
  ' class type inspect smtp UNWANTED',
  '  log',
  '  reset',
].join('\n');

const OUR_WORDS = /554 5\.7\.1 guard refused/;
/** Two and a half turns of the sending queue. */
const RETRY_WOULD_COME_MS = 12_000;
/** TCP's retransmission time doubles with each loss in a row. */
const PATIENCE_MS = 20_000;
const MEGABYTE = 1 << 20;

/** `bytes` of text with the marker in the middle. */
function marked(subject: string, bytes: number): string {
  const half = longMessage(subject, Math.floor(bytes / 2 / 78));
  const [, body = ''] = half.split('\r\n\r\n');
  return `${half}See document UD-421590.\r\n${body}`;
}

interface Case {
  readonly name: string;
  readonly from: string;
  readonly message: string;
}

const CASES: readonly Case[] = [
  { name: 'envelope', from: 'x@bad.example', message: plainMessage('in the envelope') },
  { name: 'header', from: 'a@example.org', message: longMessage('a forbidden-subject', 600) },
  { name: 'body', from: 'a@example.org', message: marked('in the body', 20 * MEGABYTE) },
];

const WORLDS = [
  { offloads: true, lossPercent: 0 },
  { offloads: false, lossPercent: 0 },
  { offloads: true, lossPercent: 2 },
] as const;

async function loseSome({ lab }: World, percent: number): Promise<void> {
  if (percent === 0) return;
  const drop = ['-m', 'statistic', '--mode', 'random', '--probability', String(percent / 100), '-j', 'DROP'];
  for (const chain of ['INPUT', 'OUTPUT']) {
    await lab.client.must(['iptables', '-w', '-A', chain, '-p', 'tcp', ...drop]);
  }
}

describe.each(WORLDS)('refused content, offloads $offloads, $lossPercent percent lost', ({ offloads, lossPercent }) => {
  let world: World;
  let exim: EximClient;

  beforeAll(async () => {
    const configuration = zoned({ application: APPLICATION, policy: 'P', globals: ['postern chunking inspect'] });
    world = await createWorld({ offloads, configuration, sendingQueue: true });
    exim = eximClient(world.lab.client, world.folder('exim-client'), world.lab.target.v4);
    await loseSome(world, lossPercent);
  });
  afterAll(async () => {
    await world?.close();
  });

  it.each(CASES)('Postfix bounces it: $name', async ({ name, from, message }) => {
    const to = `u+postfix-${name}@example.com`;
    await world.queue?.submit(message, from, to);
    const fate = await world.queue?.waitForFate(to, 120_000);
    expect(fate?.line).toMatch(/status=bounced/);
    expect(fate?.line).toMatch(OUR_WORDS);
  });

  it.each(CASES)('Exim fails it for good, by BDAT: $name', async ({ name, from, message }) => {
    const log = await exim.send(message, from, `u+exim-${name}@example.com`);
    expect(log).toMatch(new RegExp(`\\*\\* u\\+exim-${name}@example\\.com .*${OUR_WORDS.source}`));
    expect(log).not.toMatch(/==|defer/);
  });

  it.each(CASES.slice(0, 2))('swaks reads our words, pipelining too: $name', async ({ from, message }) => {
    for (const extra of [[], ['--pipeline']]) {
      const finished = await swaks(world.lab.client, world.lab.target.v4, message, ['--from', from, ...extra]);
      expect(finished.code).not.toBe(0);
      expect(finished.stdout).toMatch(OUR_WORDS);
    }
  });

  it('a client reads why in the middle of its chunks', async () => {
    const chunk = 'Subject: chunked\r\n\r\nSee document UD-';
    const rest = '421590, please.\r\n';
    const steps: Step[] = [
      { expect: '^220 ' },
      ...exchange(['EHLO client.lab.example', '^250 '], ['MAIL FROM:<a@example.org>', '^250 ']),
      ...exchange(['RCPT TO:<u@example.com>', '^250 ']),
      { send: `BDAT ${chunk.length}\r\n${chunk}` },
      { expect: '^250 ' },
    ];
    const last: Step[] = [{ send: `BDAT ${rest.length} LAST\r\n${rest}` }, { expect: '^554 ' }, { waitForEnd: true }];
    const patient = [...steps, ...last].map((step) => ('expect' in step ? { ...step, timeoutMs: PATIENCE_MS } : step));
    const seen = await observe(world, { port: 25, steps: patient });
    expect(seen.client.stoppedAt, seen.client.received).toBeUndefined();
    expect(seen.client.received).toMatch(OUR_WORDS);
    expect(seen.client.end).toBe('fin');
    expect(seen.toServer).not.toContain('421590');
  });

  it('passes what contains nothing of it, by all three', async () => {
    const before = world.postfix.mailbox().length;
    const messages = ['postfix', 'exim', 'swaks'].map((name) => longMessage(`fine ${name}`, 2_000));
    const [first = '', second = '', third = ''] = messages;
    await world.queue?.submit(first, 'a@example.org', 'u+fine@example.com');
    expect((await world.queue?.waitForFate('u+fine@example.com', 60_000))?.status).toBe('sent');
    expect(await exim.send(second, 'a@example.org', 'u+fine-exim@example.com')).toMatch(/=> u\+fine-exim@/);
    expect((await swaks(world.lab.client, world.lab.target.v4, third)).code).toBe(0);
    const arrived = await world.postfix.waitForMail(before + 3);
    expect(arrivedUnchanged(arrived, third)).toBe(true);
  });

  it('leaves nothing at the server, and nobody tries again', async () => {
    await new Promise((resolve) => setTimeout(resolve, RETRY_WOULD_COME_MS));
    for (const { name } of CASES) {
      const tried =
        world.queue
          ?.log()
          .split('\n')
          .filter((line) => line.includes(`to=<u+postfix-${name}@`)) ?? [];
      expect(tried).toHaveLength(1);
      expect(world.postfix.log()).not.toMatch(new RegExp(`to=<u\\+(postfix|exim)-${name}@`));
    }
    const stored = world.postfix.mailbox().join('');
    for (const text of ['UD-421590', 'forbidden-subject', 'in the envelope']) expect(stored).not.toContain(text);
  });
});
