import { afterAll, beforeAll, expect, it } from 'vitest';
import { exchange, talk } from './dialogue.ts';
import { ADDRESSES } from './lab.ts';
import { arrivedUnchanged, longMessage } from './messages.ts';
import type { Namespace } from './namespaces.ts';
import { PERMISSIVE } from './postern.ts';
import { createWorld, posternOf, type World } from './world.ts';

/**
 * A real sender on a line that loses packets, timestamps on: what Postern kept until the hole filled goes on behind a
 * newer repetition, and its receiver takes it (RFC 7323 5.3). If it did not, everything that waited would be sent twice.
 */

const LOSS = 0.03;
const LINES = 8_000;
const PATIENCE_MS = 120_000;

let world: World;
beforeAll(async () => {
  world = await createWorld({ configuration: PERMISSIVE, offloads: false });
});
afterAll(async () => {
  await world?.close();
});

/** A counter of the namespace's TCP. */
async function counterOf(space: Namespace, name: string): Promise<number> {
  const lines = (await space.must(['cat', '/proc/net/netstat', '/proc/net/snmp'])).split('\n');
  for (const [index, line] of lines.entries()) {
    const at = line.split(' ').indexOf(name);
    if (at > 0) return Number(lines[index + 1]?.split(' ')[at]);
  }
  throw new Error(`no counter ${name}`);
}

it('what was held out of order is not old to its receiver', { timeout: 2 * PATIENCE_MS }, async () => {
  const { client, router, server } = world.lab;
  const random = ['-m', 'statistic', '--mode', 'random', '--probability', String(LOSS)];
  await router.must([
    'iptables',
    '-w',
    '-t',
    'raw',
    '-A',
    'PREROUTING',
    '-i',
    'outside0',
    '-p',
    'tcp',
    ...random,
    '-j',
    'DROP',
  ]);
  const message = longMessage('stamped', LINES);
  const steps = [
    { expect: '^220 ', timeoutMs: PATIENCE_MS },
    ...exchange(['EHLO me.example', '^250 '], ['MAIL FROM:<a@example.org>', '^250 ']),
    ...exchange(['RCPT TO:<u@example.com>', '^250 '], ['DATA', '^354 ']),
    { send: `${message.replaceAll('\r\n.', '\r\n..')}.\r\n` },
    { expect: '^250 ', timeoutMs: PATIENCE_MS },
  ];
  const told = await talk(client, { host: ADDRESSES.server.v4, port: 25, steps }, PATIENCE_MS);
  expect(told.stoppedAt).toBeUndefined();
  expect(arrivedUnchanged(await world.postfix.waitForMail(1, 30_000), message)).toBe(true);
  const { reassembly } = await posternOf(world).statistics();
  expect(reassembly.outOfOrderPackets).toBeGreaterThan(0);
  expect(await counterOf(client, 'RetransSegs')).toBeGreaterThan(0);
  expect(await counterOf(server, 'PAWSEstab')).toBe(0);
});
