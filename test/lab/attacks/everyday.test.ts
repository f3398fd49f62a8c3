import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, talk } from '../dialogue.ts';
import { ADDRESSES } from '../lab.ts';
import { arrivedUnchanged, longMessage } from '../messages.ts';
import { posternLogTexts } from '../postern.ts';
import { createWorld, posternOf, type World } from '../world.ts';
import { CONTENT_CONFIGURATIONS } from './content.ts';

/** Honest loads on honest but poor lines, under a policy for content: nothing of them may be refused (TCP-80, FPO). */

const TWO_MEGABYTES_LINES = 26_000;
const PATIENCE_MS = 120_000;
const SETTLE_MS = 1_000;
/** Without Postern it takes some two seconds; one retransmission timer after the other takes more than twenty. */
const LOSSY_MS_MAX = 15_000;

let world: World;
beforeAll(async () => {
  world = await createWorld({ configuration: CONTENT_CONFIGURATIONS.content, offloads: false });
});
afterAll(async () => {
  await world?.close();
});

const refusals = () => posternLogTexts(posternOf(world)).filter((line) => /refused|resetting/i.test(line));

async function deliver(message: string): Promise<void> {
  const stuffed = message.replaceAll('\r\n.', '\r\n..');
  const before = world.postfix.mailbox().length;
  const told = await talk(
    world.lab.client,
    {
      host: ADDRESSES.server.v4,
      port: 25,
      steps: [
        { expect: '^220 ', timeoutMs: PATIENCE_MS },
        ...exchange(['EHLO me.example', '^250 '], ['MAIL FROM:<a@example.org>', '^250 ']),
        ...exchange(['RCPT TO:<u@example.com>', '^250 '], ['DATA', '^354 ']),
        { send: `${stuffed}.\r\n` },
        { expect: '^250 ', timeoutMs: PATIENCE_MS },
      ],
    },
    2 * PATIENCE_MS,
  );
  expect(told.stoppedAt).toBeUndefined();
  const stored = await world.postfix.waitForMail(before + 1, 30_000);
  expect(arrivedUnchanged(stored, message)).toBe(true);
}

describe('everyday', () => {
  it('FPO-05: four hundred messages of a load generator arrive', { timeout: PATIENCE_MS }, async () => {
    const words = ['-s', '20', '-m', '400', '-l', '4096', '-f', 'a@example.org', '-t', 'u@example.com'];
    const told = await world.lab.client.run(['smtp-source', '-d', ...words, `${ADDRESSES.server.v4}:25`], {
      timeoutMs: PATIENCE_MS,
    });
    await world.postfix.waitForMail(400, PATIENCE_MS);
    expect(`${told.stdout}${told.stderr}`).not.toMatch(/refused: |lost connection|timeout/);
    expect(refusals()).toEqual([]);
  });

  it('FPO-09: a client that types an octet a second is served', { timeout: PATIENCE_MS }, async () => {
    const told = await talk(world.lab.client, {
      host: ADDRESSES.server.v4,
      port: 25,
      noDelay: true,
      steps: [
        { expect: '^220 ' },
        { send: 'EHLO me.ex\r\n', chunk: 1, gapMs: 1_000 },
        { expect: '^250 ' },
        { send: 'QUIT\r\n' },
        { waitForEnd: true },
      ],
    });
    expect(told).toMatchObject({ end: 'fin' });
  });

  /** On the router, before anything is judged: a client's own kernel would notice what it drops itself. */
  async function losing(probability: number, during: () => Promise<void>): Promise<void> {
    const drop = [
      '-p',
      'tcp',
      '-m',
      'statistic',
      '--mode',
      'random',
      '--probability',
      String(probability),
      '-j',
      'DROP',
    ];
    for (const device of ['outside0', 'inside0']) {
      await world.lab.router.must(['iptables', '-w', '-t', 'raw', '-A', 'PREROUTING', '-i', device, ...drop]);
    }
    try {
      await during();
    } finally {
      await world.lab.router.must(['iptables', '-w', '-t', 'raw', '-F', 'PREROUTING']);
    }
    expect(refusals()).toEqual([]);
  }

  it('TCP-80: a message arrives unchanged when every tenth packet is lost', { timeout: 300_000 }, async () => {
    await losing(0.1, () => deliver(longMessage('over a poor line', 2_000)));
  });

  it('a long message is not much slower where packets are lost', { timeout: 300_000 }, async () => {
    const startedAt = Date.now();
    await losing(0.02, () => deliver(longMessage('over a worn line', TWO_MEGABYTES_LINES)));
    expect(Date.now() - startedAt).toBeLessThan(LOSSY_MS_MAX);
  });

  it('FPO-14: behind a router whose next link takes 576 octets', { timeout: 300_000 }, async () => {
    await world.lab.router.must(['ip', 'link', 'set', 'inside0', 'mtu', '576']);
    await delay(SETTLE_MS);
    await deliver(longMessage('over a narrow line', TWO_MEGABYTES_LINES));
    expect(refusals()).toEqual([]);
  });
});
