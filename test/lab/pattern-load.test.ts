import { afterAll, beforeAll, expect, it } from 'vitest';
import { smtpSource } from './clients.ts';
import { createWorld, posternOf, type World } from './world.ts';
import { zoned } from './zone-policy.ts';

/** Ten thousand patterns come in while mail goes through, and no message is lost or late. */

const MAPS = 157;
const PATTERNS_A_MAP = 64;
const LOAD_MS_MAX = 10_000;

function patterns(generation: number): string {
  const maps = Array.from({ length: MAPS }, (_, map) => [
    `parameter-map type regex M${map}`,
    ...Array.from({ length: PATTERNS_A_MAP }, (_, index) =>
      ` pattern "*marker-${generation}-${map}-${index}-[x]*"`.replace('[x]', `${index * 7}`),
    ),
  ]);
  const matches = Array.from({ length: MAPS }, (_, map) => ` match body regex M${map}`);
  return [
    ...maps.flat(),
    'class-map type inspect smtp match-any MANY',
    ...matches,
    'policy-map type inspect smtp P',
    ' class type inspect smtp MANY',
    '  reset',
  ].join('\n');
}

let world: World;
beforeAll(async () => {
  world = await createWorld({ configuration: zoned({ application: patterns(1), policy: 'P' }) });
});
afterAll(async () => {
  await world?.close();
});

it('swaps ten thousand patterns under load', { timeout: 240_000 }, async () => {
  const postern = posternOf(world);
  expect(postern.readyAfterMs).toBeLessThan(LOAD_MS_MAX * 2);
  const messages = 600;
  const load = smtpSource(world.lab.client, world.lab.target.v4, { count: messages, bytes: 20_000, parallel: 4 });
  const before = postern.log().length;
  const startedAt = performance.now();
  postern.reload(zoned({ application: patterns(2), policy: 'P' }));
  const reloaded = () =>
    postern
      .log()
      .slice(before)
      .map(({ mnemonic }) => mnemonic);
  await expect.poll(reloaded, { timeout: 60_000, interval: 100 }).toContain('CONFIG_RELOADED');
  const seconds = (performance.now() - startedAt) / 1_000;
  const sent = await load;
  expect(sent.code, sent.stdout + sent.stderr).toBe(0);
  expect(await world.postfix.waitForMail(messages, 60_000)).toHaveLength(messages);
  const { packets } = await postern.statistics();
  expect(packets.kernelDropped).toBe(0);
  // The bound is for a machine that does nothing else; beside the load it has to share.
  expect(seconds).toBeLessThan((LOAD_MS_MAX / 1_000) * 3);
});
