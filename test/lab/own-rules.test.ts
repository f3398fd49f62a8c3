import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cross } from './crossing.ts';
import { exchange, talk } from './dialogue.ts';
import { ADDRESSES } from './lab.ts';
import { PERMISSIVE } from './postern.ts';
import { createWorld, posternOf, type World } from './world.ts';

/** Postern on a router that has an administrator: their rules come first and last, and ours leave with us. */

describe("the administrator's own rules", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ configuration: PERMISSIVE });
  });
  afterAll(async () => {
    await world?.close();
  });

  const dialogue = (host: string) =>
    talk(world.lab.client, {
      host,
      port: 25,
      connectTimeoutMs: 1_000,
      steps: [{ expect: '^220 ', timeoutMs: 500 }, ...exchange(['QUIT', '^221 '])],
    });

  it.each([
    ['iptables', ADDRESSES.server.v4],
    ['ip6tables', ADDRESSES.server.v6],
  ])('%s: a filter rule drops what Postern accepts', async (program, host) => {
    expect((await dialogue(host)).stoppedAt).toBeUndefined();
    const rule = ['FORWARD', '-p', 'tcp', '--dport', '25', '-d', host, '-j', 'DROP'];
    await world.lab.router.must([program, '-w', '-A', ...rule]);
    const refused = await dialogue(host);
    await world.lab.router.must([program, '-w', '-D', ...rule]);
    expect(refused).toMatchObject({ stoppedAt: 0, received: '' });
    expect((await dialogue(host)).stoppedAt).toBeUndefined();
  });

  it('an interface without a line of ours is not touched, not even when nobody answers', async () => {
    const { client, server, router } = world.lab;
    const lines = ['ip inspect name R tcp', 'ip inspect name R udp', 'ip inspect name R icmp', 'interface outside0'];
    const lists = [' ip inspect R in', ' ip access-group 102 in', 'access-list 102 deny ip any any', ''];
    posternOf(world).reload([...lines, ...lists].join('\n'));
    await posternOf(world).waitForLog(/CONFIG_RELOADED/);
    for (const kind of ['tcp', 'udp', 'icmp'] as const) {
      const toRouter = { to: ADDRESSES.routerInside.v4, kind, port: 8200 };
      expect(await cross(server, router, toRouter), kind).toBe('answered');
      expect(await cross(router, server, { to: ADDRESSES.sink.v4, kind, port: 8201 }), kind).toBe('answered');
    }
    expect(await cross(client, server, { to: ADDRESSES.sink.v4, kind: 'tcp', port: 8202 })).toBe('silence');
    const queues = await router.must(['iptables', '-w', '-t', 'mangle', '-nvxL', 'POSTERN-QUEUE']);
    expect([...queues.matchAll(/^ *([1-9]\d*) .*NFQUEUE/gm)]).toEqual([]);
  });

  it('a stop removes our chains and nothing else', async () => {
    const { router } = world.lab;
    await router.must(['iptables', '-w', '-t', 'mangle', '-A', 'FORWARD', '-s', '192.0.2.99', '-j', 'DROP']);
    expect(await router.must(['iptables-save'])).toContain('NFQUEUE');
    expect(await router.must(['ip6tables-save'])).toContain('NFQUEUE');
    expect(await posternOf(world).stop()).toBe(0);
    const left = await router.must(['iptables-save']);
    expect(left).not.toMatch(/NFQUEUE|postern/i);
    expect(left).toContain('192.0.2.99');
    expect(await router.must(['ip6tables-save'])).not.toMatch(/NFQUEUE|postern/i);
    expect((await dialogue(ADDRESSES.server.v4)).stoppedAt).toBeUndefined();
  });
});
