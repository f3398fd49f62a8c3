import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Crossing, cross } from './crossing.ts';
import { ADDRESSES, createLab, type Lab } from './lab.ts';
import { type Postern, startPostern } from './postern.ts';

/**
 * Zones at work (cisco-ios 1.9, 1.10): the lab's client is outside, its server in the DMZ, the router between them has
 * policies. What counts is what arrives at the other end.
 */
const BOTH_ZONES = [
  'interface outside0',
  ' zone-member security outside',
  'interface inside0',
  ' zone-member security dmz',
];
const PAIR = ['zone-pair security OUT-DMZ source outside destination dmz', ' service-policy type inspect P'];

/** Class maps: every protocol by its name, and what tests ask for beside. */
const CLASSES = [
  'ip access-list extended SINK',
  ` permit ip any host ${ADDRESSES.sink.v4}`,
  'ip access-list extended NOT-8070',
  ' deny tcp any any eq 8070',
  ` permit tcp any host ${ADDRESSES.sink.v4}`,
  ...['tcp', 'udp', 'icmp', 'http', 'smtp'].flatMap((name) => [
    `class-map type inspect match-all ${name.toUpperCase()}`,
    ` match protocol ${name}`,
  ]),
  'class-map type inspect match-all LISTED',
  ' match access-group name SINK',
  'class-map type inspect match-any WEB-OR-PING',
  ' match protocol http',
  ' match protocol icmp',
  'class-map type inspect match-all NESTED',
  ' match access-group name SINK',
  ' match class-map WEB-OR-PING',
  'class-map type inspect match-all HOLED',
  ' match access-group name NOT-8070',
];

/** `CLASS: action` each, `class-default` among them. */
function policy(name: string, classes: Readonly<Record<string, string>>): readonly string[] {
  return [
    `policy-map type inspect ${name}`,
    ...Object.entries(classes).flatMap(([className, actions]) => [
      className === 'class-default' ? ' class class-default' : ` class type inspect ${className}`,
      ...actions.split('; ').map((action) => `  ${action}`),
    ]),
  ];
}

const configuration = (...parts: readonly (readonly string[])[]): string =>
  [...CLASSES, 'zone security outside', 'zone security dmz', ...parts.flat(), ''].join('\n');

describe('zones', () => {
  let lab: Lab;
  let postern: Postern;
  beforeAll(async () => {
    lab = await createLab();
    postern = await startPostern({ router: lab.router, folder: lab.folder, configuration: configuration() });
  });
  afterAll(async () => {
    await postern?.stop();
    await lab?.close();
  });

  const told = (mnemonic: string) => postern.log().filter((line) => line.mnemonic === mnemonic);

  async function load(...parts: readonly (readonly string[])[]): Promise<void> {
    const before = told('CONFIG_RELOADED').length;
    postern.reload(configuration(...parts));
    const deadline = Date.now() + 8_000;
    while (told('CONFIG_RELOADED').length === before && Date.now() < deadline) await delay(20);
    expect(told('CONFIG_RELOADED').length, postern.output().slice(-2_000)).toBe(before + 1);
  }

  type Ask = Omit<Crossing, 'to'> & { readonly to?: string };
  const inward = (ask: Ask) => cross(lab.client, lab.server, { to: ADDRESSES.sink.v4, ...ask });
  const outward = (ask: Ask) => cross(lab.server, lab.client, { to: ADDRESSES.client.v4, ...ask });
  const toRouter = (ask: Ask) => cross(lab.client, lab.router, { to: ADDRESSES.routerOutside.v4, ...ask });
  const fromRouter = (ask: Ask) => cross(lab.router, lab.client, { to: ADDRESSES.client.v4, ...ask });

  describe('the matrix', () => {
    it('no zone to no zone passes', async () => {
      await load();
      expect(await inward({ kind: 'tcp', port: 8_001 })).toBe('answered');
    });

    it('a zone to an interface in none is dropped, both ways', async () => {
      await load(['interface outside0', ' zone-member security outside']);
      expect(await inward({ kind: 'udp', port: 8_002 })).toBe('silence');
      expect(await outward({ kind: 'udp', port: 8_003 })).toBe('silence');
      expect(await toRouter({ kind: 'tcp', port: 8_004 })).toBe('answered');
    });

    it('zone to zone without a pair is dropped, also when a pair has no policy; the router is not concerned', async () => {
      await load(BOTH_ZONES, PAIR.slice(0, 1));
      for (const kind of ['tcp', 'udp', 'icmp'] as const) {
        expect(await inward({ kind, port: 8_005 }), kind).toBe('silence');
        expect(await toRouter({ kind, port: 8_006 }), kind).toBe('answered');
        expect(await fromRouter({ kind, port: 8_007 }), kind).toBe('answered');
      }
      expect(await inward({ to: ADDRESSES.sink.v6, kind: 'tcp', port: 8_008 })).toBe('silence');
    });

    it('inside of a zone all passes', async () => {
      await load(BOTH_ZONES.map((line) => line.replace('security dmz', 'security outside')));
      expect(await inward({ kind: 'tcp', port: 8_009 })).toBe('answered');
      expect(await outward({ kind: 'udp', port: 8_010 })).toBe('answered');
    });
  });

  describe('pass and drop', () => {
    it('pass has no session: the way back needs a pair of its own', async () => {
      await load(BOTH_ZONES, policy('P', { UDP: 'pass', 'class-default': 'drop' }), PAIR);
      expect(await inward({ kind: 'udp', port: 8_020 })).toBe('silence');
      await load(BOTH_ZONES, policy('P', { UDP: 'pass', 'class-default': 'drop' }), PAIR, [
        'zone-pair security DMZ-OUT source dmz destination outside',
        ' service-policy type inspect P',
      ]);
      expect(await inward({ kind: 'udp', port: 8_021 })).toBe('answered');
      expect(await inward({ kind: 'udp', port: 8_022, to: ADDRESSES.sink.v6 })).toBe('answered');
      expect(await inward({ kind: 'tcp', port: 8_023 })).toBe('silence');
    });

    const both = [
      ...PAIR,
      'zone-pair security BACK source dmz destination outside',
      ' service-policy type inspect BACK',
    ];
    const back = policy('BACK', { 'class-default': 'pass' });

    it('the first class that fits decides', async () => {
      await load(BOTH_ZONES, policy('P', { HTTP: 'drop', TCP: 'pass' }), back, both);
      expect(await inward({ kind: 'tcp', port: 80 })).toBe('silence');
      expect(await inward({ kind: 'tcp', port: 8_030 })).toBe('answered');
      await load(BOTH_ZONES, policy('P', { TCP: 'pass', HTTP: 'drop' }), back, both);
      expect(await inward({ kind: 'tcp', port: 80 })).toBe('answered');
    });

    it('classes of lists and of other classes', async () => {
      await load(BOTH_ZONES, policy('P', { NESTED: 'pass' }), back, both);
      expect(await inward({ kind: 'tcp', port: 80 })).toBe('answered');
      expect(await inward({ kind: 'icmp' })).toBe('answered');
      expect(await inward({ kind: 'tcp', port: 8_031 })).toBe('silence');
      expect(await inward({ kind: 'icmp', to: ADDRESSES.exim.v4 })).toBe('silence');
      expect(await inward({ kind: 'tcp', port: 80, to: ADDRESSES.sink.v6 })).toBe('silence');
    });

    it('a list that takes something out leaves it to the next class', async () => {
      await load(BOTH_ZONES, policy('P', { HOLED: 'pass', 'class-default': 'drop' }), back, both);
      expect(await inward({ kind: 'tcp', port: 8_071 })).toBe('answered');
      expect(await inward({ kind: 'tcp', port: 8_070 })).toBe('silence');
      await load(BOTH_ZONES, policy('P', { HOLED: 'drop', TCP: 'pass' }), back, both);
      expect(await inward({ kind: 'tcp', port: 8_071 })).toBe('silence');
      expect(await inward({ kind: 'tcp', port: 8_070 })).toBe('answered');
    });

    it('self: only the direction of the pair is filtered (C27)', async () => {
      await load(BOTH_ZONES, policy('TO-SELF', { ICMP: 'pass', 'class-default': 'drop log' }), [
        'zone-pair security OUT-SELF source outside destination self',
        ' service-policy type inspect TO-SELF',
      ]);
      expect(await toRouter({ kind: 'icmp' })).toBe('answered');
      expect(await toRouter({ kind: 'tcp', port: 8_040 })).toBe('silence');
      expect(await toRouter({ kind: 'tcp', port: 8_041, to: ADDRESSES.routerOutside.v6 })).toBe('silence');
      const inside = { to: ADDRESSES.routerInside.v4, kind: 'tcp', port: 8_042 } as const;
      expect(await cross(lab.server, lab.router, inside)).toBe('answered');
    });

    it('default: the interfaces in no zone, when a pair names them', async () => {
      await load(['interface inside0', ' zone-member security dmz'], policy('P', { UDP: 'pass' }), [
        'zone-pair security ANY-DMZ source default destination dmz',
        ' service-policy type inspect P',
        'zone-pair security DMZ-ANY source dmz destination default',
        ' service-policy type inspect P',
      ]);
      expect(await inward({ kind: 'udp', port: 8_050 })).toBe('answered');
      expect(await inward({ kind: 'tcp', port: 8_051 })).toBe('silence');
    });
  });

  describe('the log', () => {
    it('drop log tells the packet, its pair and its class, of every transport and family', async () => {
      await load(BOTH_ZONES, policy('P', { HTTP: 'drop', 'class-default': 'drop log' }), PAIR);
      expect(await inward({ kind: 'tcp', port: 80 })).toBe('silence');
      expect(await inward({ kind: 'tcp', port: 8_060, from: 42_060 })).toBe('silence');
      expect(await inward({ kind: 'udp', port: 8_061, to: ADDRESSES.sink.v6 })).toBe('silence');
      expect(await inward({ kind: 'icmp' })).toBe('silence');
      const place =
        'on zone-pair OUT-DMZ class class-default due to {2}DROP action found in policy-map with ip ident \\d+';
      const { client, sink } = ADDRESSES;
      const tcp = `Dropping tcp session ${client.v4}:42060 ${sink.v4}:8060 ${place} tcpflags 0x2 seq.no [1-9]\\d* ack 0`;
      await postern.waitForLog(new RegExp(tcp), 3_000);
      await postern.waitForLog(new RegExp(`Dropping udp session \\S+ \\S*8061 ${place}`), 3_000);
      await postern.waitForLog(new RegExp(`Dropping icmp session ${client.v4}:\\d+ ${sink.v4}:8 ${place}`), 3_000);
      expect(postern.output()).not.toMatch(/Dropping tcp session \S+ \S+:80 /);
    });

    it('pass log tells it too, and it arrives', async () => {
      await load(BOTH_ZONES, policy('P', { 'class-default': 'pass log' }), PAIR, [
        'zone-pair security BACK source dmz destination outside',
        ' service-policy type inspect P',
      ]);
      expect(await inward({ kind: 'udp', port: 8_062, from: 42_062 })).toBe('answered');
      const line = `\\(target:class\\)-\\(OUT-DMZ:class-default\\) Passing udp pkt ${ADDRESSES.client.v4}:42062 => ${ADDRESSES.sink.v4}:8062`;
      await postern.waitForLog(new RegExp(line), 3_000);
      expect(await inward({ kind: 'tcp', port: 8_063 })).toBe('answered');
    });

    it('a flood of what is dropped is told in part, dropped whole, and counted whole', async () => {
      await load(BOTH_ZONES, policy('P', { 'class-default': 'drop log' }), PAIR);
      const counts = () => lab.router.must(['iptables-save', '-c', '-t', 'mangle']);
      const dropped = async () =>
        Number(/\[(\d+):\d+\] -A POSTERN-ZONE-\d+ .*"zone OUT-DMZ class-default drop"/.exec(await counts())?.[1]);
      const before = await dropped();
      const send = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(2000): s.sendto(b'x', ('${ADDRESSES.sink.v4}', 8064))`;
      await lab.server.must(['iptables', '-w', '-t', 'raw', '-A', 'PREROUTING', '-p', 'udp', '--dport', '8064']);
      await lab.client.must(['python3', '-c', send]);
      expect(await dropped()).toBe(before + 2_000);
      const arrived = await lab.server.must(['iptables', '-w', '-t', 'raw', '-nvxL', 'PREROUTING']);
      expect(/^ *(\d+) .*dpt:8064/m.exec(arrived)?.[1]).toBe('0');
    });
  });

  it('the rules go with the daemon', async () => {
    await load(BOTH_ZONES, policy('P', { 'class-default': 'drop log' }), PAIR);
    expect(await lab.router.must(['iptables-save', '-t', 'mangle'])).toContain('POSTERN-ZONE-1');
    expect(await postern.stop()).toBe(0);
    for (const program of ['iptables-save', 'ip6tables-save']) {
      expect(await lab.router.must([program])).not.toMatch(/POSTERN|NFQUEUE/);
    }
    expect(await inward({ kind: 'tcp', port: 8_090 })).toBe('answered');
  });
});
