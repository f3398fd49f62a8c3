import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cross, sendLateSegment } from './crossing.ts';
import { exchange, talk } from './dialogue.ts';
import { ADDRESSES } from './lab.ts';
import { until } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/**
 * A session is the permit of its return traffic (cisco-ios 3.1). Here the lab's client is the protected side, and what
 * comes from the server's side is denied by list 102 unless it belongs to a session.
 */
const FINWAIT_SECONDS = 1;

const configuration = (protocols: readonly string[], list: readonly string[], more: readonly string[] = []): string =>
  [
    'ip inspect log drop-pkt',
    `ip inspect tcp finwait-time ${FINWAIT_SECONDS}`,
    ...protocols.map((words) => `ip inspect name GUARD ${words}`),
    'interface outside0',
    ' ip inspect GUARD in',
    'interface inside0',
    ' ip access-group 102 in',
    ...more,
    ...list.map((entry) => `access-list 102 ${entry}`),
    '',
  ].join('\n');

const DENY_ALL = ['deny ip any any log'];
const MAIL = configuration(['esmtp', 'pop3'], DENY_ALL);

describe('openings', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ configuration: MAIL });
  });
  afterAll(async () => {
    await world?.close();
  });

  const smtp = () =>
    talk(world.lab.client, {
      host: ADDRESSES.server.v4,
      port: 25,
      connectTimeoutMs: 2_000,
      steps: [{ expect: '^220 ', timeoutMs: 2_000 }, ...exchange(['EHLO me.example', '^250 '], ['QUIT', '^221 '])],
    });
  const fromOutside = (kind: 'tcp' | 'udp', port: number) =>
    cross(world.lab.server, world.lab.client, { to: ADDRESSES.client.v4, kind, port });
  const fromInside = (kind: 'tcp' | 'udp' | 'icmp', port = 0, from = 0) =>
    cross(world.lab.client, world.lab.server, { to: ADDRESSES.sink.v4, kind, port, from });
  const denied = async (): Promise<number> => (await posternOf(world).statistics()).refusals['access-list'] ?? 0;
  const lists = async (): Promise<string> => (await posternOf(world).exec('show', 'access-lists')).stdout;

  async function load(text: string): Promise<void> {
    const told = () =>
      posternOf(world)
        .log()
        .filter(({ mnemonic }) => mnemonic === 'CONFIG_RELOADED').length;
    const before = told();
    posternOf(world).reload(text);
    const deadline = Date.now() + 5_000;
    while (told() === before && Date.now() < deadline) await delay(20);
    expect(told()).toBe(before + 1);
  }

  describe('of mail sessions', () => {
    it('a mail session from inside works, and nothing of it counts as a match', async () => {
      const before = await denied();
      expect((await smtp()).stoppedAt).toBeUndefined();
      expect(await denied()).toBe(before);
    });

    it('session detail tells the opening, and how many answers came through it', async () => {
      const talking = talk(world.lab.client, {
        host: ADDRESSES.server.v4,
        port: 25,
        steps: [{ expect: '^220 ' }, { sleepMs: 1_500 }, ...exchange(['QUIT', '^221 '])],
      });
      const detail = await until('the opening', async () => {
        const { stdout } = await posternOf(world).exec('show', 'ip', 'inspect', 'session', 'detail');
        return stdout.includes(' smtp SIS_OPEN') ? stdout : undefined;
      });
      expect(detail).toMatch(
        /^ {2}In {2}SID 10\.80\.2\.2\[25:25\]=>10\.80\.1\.2\[(\d+):\1\] on ACL 102 {2}\(\d+ match(?:es)?\)$/m,
      );
      expect((await talking).stoppedAt).toBeUndefined();
    });

    it('what nobody inside asked for is dropped, counted and told to the kernel log', async () => {
      const before = await denied();
      expect(await fromOutside('tcp', 8025)).toBe('silence');
      expect(await fromOutside('udp', 8053)).toBe('silence');
      expect(await denied()).toBeGreaterThanOrEqual(before + 2);
      expect(await lists()).toMatch(/^Extended IP access list 102\n {4}10 deny ip any any log \(\d+ matches\)\n$/);
      const chain = await world.lab.router.must(['iptables', '-w', '-t', 'mangle', '-nvxL', 'POSTERN-ACL-1']);
      expect(Number(/^ *(\d+) .*prefix "postern: 102 denied "/m.exec(chain)?.[1])).toBeGreaterThan(0);
    });

    it('a port that is not inspected opens nothing', async () => {
      expect(await fromInside('tcp', 8080)).toBe('silence');
    });

    it('the list is of IPv4: it leaves IPv6 alone', async () => {
      const { client, server } = world.lab;
      expect(await cross(server, client, { to: ADDRESSES.client.v6, kind: 'tcp', port: 8025 })).toBe('answered');
    });

    it('the counters of a list begin anew when they are cleared, and survive a reload', async () => {
      await load(MAIL);
      expect(await lists()).toMatch(/\(\d+ matches\)/);
      expect((await posternOf(world).exec('clear', 'access-list', 'counters', '102')).code).toBe(0);
      expect(await lists()).toBe('Extended IP access list 102\n    10 deny ip any any log\n');
    });
  });

  describe('of generic sessions', () => {
    beforeAll(async () => {
      await load(configuration(['tcp', 'udp', 'icmp'], DENY_ALL));
    });

    it.each([
      ['tcp', 8080],
      ['udp', 8053],
      ['icmp', 0],
    ] as const)('%s from inside is answered', async (kind, port) => {
      expect(await fromInside(kind, port)).toBe('answered');
    });

    it.each([
      ['tcp', 8081],
      ['udp', 8054],
    ] as const)('%s from outside is not', async (kind, port) => {
      const before = await denied();
      expect(await fromOutside(kind, port)).toBe('silence');
      expect(await denied()).toBeGreaterThan(before);
    });

    it('mail works as before: the engine still knows its port', async () => {
      expect((await smtp()).stoppedAt).toBeUndefined();
    });

    it('after the end of a session its opening is closed', async () => {
      const late = [`${ADDRESSES.sink.v4}:8082`, `${ADDRESSES.client.v4}:45678`] as const;
      const count = ['iptables', '-w', '-t', 'raw'];
      const rule = ['PREROUTING', '-p', 'tcp', '--sport', '8082', '--dport', '45678', '--tcp-flags', 'ALL', 'ACK'];
      expect(await fromInside('tcp', 8082, 45_678)).toBe('answered');
      await delay(1_000 * FINWAIT_SECONDS + 1_500);
      await world.lab.client.must([...count, '-A', ...rule]);
      await sendLateSegment(world.lab.server, ...late);
      await delay(200);
      const arrived = await world.lab.client.must([...count, '-nvxL', 'PREROUTING']);
      await world.lab.client.must([...count, '-F', 'PREROUTING']);
      expect(/^ *(\d+) .*spt:8082/m.exec(arrived)?.[1]).toBe('0');
    });
  });

  describe('entries', () => {
    it('in order, established and ports among them, each counted', async () => {
      const list = [
        'remark who may come',
        'deny tcp any any eq 8090',
        'permit tcp any host 10.80.1.2 range 8085 8095',
        'permit tcp any any established',
        'deny ip any any',
      ];
      await load(configuration(['esmtp'], list));
      expect(await fromOutside('tcp', 8090)).toBe('silence');
      expect(await fromOutside('tcp', 8091)).toBe('answered');
      expect(await fromOutside('tcp', 8096)).toBe('silence');
      // The answers to a port that is not inspected come in by `established`; nothing else does.
      expect(await fromInside('tcp', 8080)).toBe('answered');
      expect(await fromInside('udp', 8080)).toBe('silence');
      const shown = await lists();
      expect(shown).toMatch(/ {4}20 deny tcp any any eq 8090 \(\d+ match(es)?\)\n/);
      expect(shown).toMatch(/ {4}30 permit tcp any host 10\.80\.1\.2 range 8085 8095 \(\d+ matches\)\n/);
      expect(shown).toMatch(/ {4}40 permit tcp any any established \(\d+ matches\)\n/);
    });
  });

  describe('of the router itself', () => {
    const toServer = (kind: 'tcp' | 'udp' | 'icmp', port = 0) =>
      cross(world.lab.router, world.lab.server, { to: ADDRESSES.sink.v4, kind, port });

    it('without router-traffic its own questions are not answered', async () => {
      await load(configuration(['tcp', 'udp', 'icmp'], DENY_ALL, [' ip inspect GUARD out']));
      for (const kind of ['tcp', 'udp', 'icmp'] as const) expect(await toServer(kind, 8100)).toBe('silence');
    });

    it('with router-traffic they are, and it is no server for the outside', async () => {
      const protocols = ['tcp router-traffic', 'udp router-traffic', 'icmp router-traffic'];
      await load(configuration(protocols, DENY_ALL, [' ip inspect GUARD out']));
      for (const kind of ['tcp', 'udp', 'icmp'] as const) expect(await toServer(kind, 8101)).toBe('answered');
      const { server, router, client } = world.lab;
      const outside = { to: ADDRESSES.routerInside.v4, kind: 'tcp', port: 8102 } as const;
      expect(await cross(server, router, outside)).toBe('silence');
      const inside = { to: ADDRESSES.routerOutside.v4, kind: 'tcp', port: 8103 } as const;
      expect(await cross(client, router, inside)).toBe('answered');
    });
  });
});
