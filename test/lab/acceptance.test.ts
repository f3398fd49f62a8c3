import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXERCISES, POLICED, SELF_ZONE } from './acceptance.ts';
import { swaks } from './clients.ts';
import { cross } from './crossing.ts';
import { talk } from './dialogue.ts';
import { ADDRESSES } from './lab.ts';
import { longMessage } from './messages.ts';
import { observe } from './observe.ts';
import { createWorld, posternOf, type World } from './world.ts';
import { zoned } from './zone-policy.ts';

/** The configurations of the acceptance library that load, on the wire. */

let world: World;
beforeAll(async () => {
  world = await createWorld({ configuration: zoned() });
});
afterAll(async () => {
  await world?.close();
});

async function load(configuration: string): Promise<number> {
  const postern = posternOf(world);
  const before = postern.log().length;
  postern.reload(configuration);
  const reloaded = () => postern.log().slice(before);
  await expect.poll(reloaded).toContainEqual(expect.objectContaining({ mnemonic: 'CONFIG_RELOADED' }));
  return before;
}

describe('the acceptance library', () => {
  it.each(EXERCISES)('$name', async ({ configuration, port, steps, ...wanted }) => {
    const before = await load(configuration);
    const seen = await observe(world, { port, steps });
    expect(seen.client.stoppedAt, seen.client.received).toBeUndefined();
    for (const text of wanted.client ?? []) expect(seen.client.received).toMatch(text);
    for (const text of wanted.clientNot ?? []) expect(seen.client.received).not.toMatch(text);
    for (const text of wanted.server ?? []) expect(seen.toServer).toMatch(text);
    for (const text of wanted.serverNot ?? []) expect(seen.toServer).not.toMatch(text);
    if (wanted.end !== undefined) {
      expect(seen.client.end).toBe(wanted.end);
      expect(seen.resets.server).toBe(true);
    }
    const told = () => posternOf(world).log().slice(before);
    const { log } = wanted;
    if (log !== undefined) {
      await expect.poll(() => told().some(({ mnemonic, msg }) => log.test(`%APPFW-4-${mnemonic}: ${msg}`))).toBe(true);
    }
  });

  it('C25: mail goes at the rate of the class', { timeout: 60_000 }, async () => {
    await load(POLICED);
    const octets = 78 * 1_000;
    const startedAt = performance.now();
    const finished = await swaks(world.lab.client, world.lab.target.v4, longMessage('policed', 1_000), [
      '--timeout',
      '50',
    ]);
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(finished.code, finished.stdout).toBe(0);
    // 128,000 bits a second behind a burst of 8,000 octets, with room for what the burst of the kernel's match rounds.
    expect(octets / seconds).toBeLessThan((128_000 / 8) * 1.6);
  });

  it('C27: only the direction with a pair is filtered', { timeout: 60_000 }, async () => {
    const before = await load(SELF_ZONE);
    const { client, router } = world.lab;
    const ping = { kind: 'icmp', port: 0, from: 0 } as const;
    expect(await cross(client, router, { ...ping, to: ADDRESSES.routerOutside.v4 })).toBe('answered');
    expect(await cross(router, client, { ...ping, to: ADDRESSES.client.v4 })).toBe('answered');
    const script = { host: ADDRESSES.routerOutside.v4, port: 2_222, connectTimeoutMs: 1_500, steps: [] };
    const said = await talk(client, script);
    expect(said.end).not.toBe('ECONNREFUSED');
    const told = () => posternOf(world).log().slice(before);
    await expect.poll(told).toContainEqual(expect.objectContaining({ mnemonic: 'DROP_PKT' }));
  });
});
