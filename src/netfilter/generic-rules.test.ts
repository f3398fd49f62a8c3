import { describe, expect, test } from 'vitest';
import { type Configuration, EMPTY_CONFIGURATION, type ProtocolInspection } from '../policy/configuration.ts';
import { rulesFor } from './rules.ts';

/** Generic inspection and sessions as rules; what the rules do in a kernel is in openings.test.ts. */

function chains(
  interfaces: Configuration['interfaces'],
  protocols: readonly ProtocolInspection[],
  rest: Partial<Configuration> = {},
) {
  const configuration = { ...EMPTY_CONFIGURATION, interfaces, rules: [{ name: 'R', protocols }], ...rest };
  const texts = rulesFor({ configuration, firstQueue: 0, workers: 1, hashKey: 7 });
  const of = (text: string) => (name: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`-A ${name} `) && !line.includes('FIN,SYN,RST NONE'))
      .map((line) => line.slice(`-A ${name} `.length));
  return { chain: of(texts.ipv4), chain6: of(texts.ipv6), ipv4: texts.ipv4 };
}

const inX = [{ name: 'eth0', inspectIn: 'R' }];
const SESSIONS = '-m connmark --mark 0x10000000/0x10000000 -m conntrack --ctstate NEW,ESTABLISHED -j POSTERN-QUEUE';

describe('generic inspection', () => {
  test('tcp in: what initiators send there, what conntrack gives to nobody, and sessions', () => {
    const { chain } = chains(inX, [{ protocol: 'tcp' }]);
    expect(chain('POSTERN-FORWARD')).toEqual([
      '-i eth0 -p tcp -m conntrack --ctdir ORIGINAL -j POSTERN-QUEUE',
      '-i eth0 -p tcp -m conntrack --ctstate INVALID,UNTRACKED -j POSTERN-QUEUE',
      '-o eth0 -p tcp ! --syn -m conntrack --ctstate INVALID,UNTRACKED -j POSTERN-QUEUE',
      SESSIONS,
    ]);
    expect(chain('FORWARD')[0]).toMatch(/^-p tcp /);
  });

  test('udp and icmp out: never errors of other connections, and IPv6 in its own words', () => {
    const { chain, chain6 } = chains([{ name: 'eth0', inspectOut: 'R' }], [{ protocol: 'udp' }, { protocol: 'icmp' }]);
    expect(chain('POSTERN-FORWARD')).toEqual([
      '-o eth0 -p udp -m conntrack --ctdir ORIGINAL -j POSTERN-QUEUE',
      '-o eth0 -p udp -m conntrack --ctstate INVALID,UNTRACKED -j POSTERN-QUEUE',
      '-o eth0 -p icmp -m conntrack --ctstate NEW,ESTABLISHED --ctdir ORIGINAL -j POSTERN-QUEUE',
      SESSIONS,
    ]);
    expect(chain6('POSTERN-FORWARD')[2]).toContain('-p icmpv6 ');
    expect(chain('FORWARD')[0]).toMatch(/^-m conntrack /);
  });

  test.each([
    ['in', 'INPUT', '-i'],
    ['out', 'OUTPUT', '-o'],
  ] as const)('router-traffic %s: its own %s too, and only then', (direction, hook, option) => {
    const bound = [direction === 'in' ? { name: 'eth0', inspectIn: 'R' } : { name: 'eth0', inspectOut: 'R' }];
    const { chain } = chains(bound, [{ protocol: 'udp', routerTraffic: true }, { protocol: 'icmp' }]);
    const lines = chain(`POSTERN-${hook}`).filter((line) => !line.includes('0x1000000/'));
    expect(lines.slice(0, 2)).toEqual([
      `${option} eth0 -p udp -m conntrack --ctdir ORIGINAL -j POSTERN-QUEUE`,
      `${option} eth0 -p udp -m conntrack --ctstate INVALID,UNTRACKED -j POSTERN-QUEUE`,
    ]);
    expect(lines.at(-1)).toBe(`${hook === 'INPUT' ? '! -i lo ' : ''}${SESSIONS}`);
    expect(lines.join()).not.toContain('icmp');
  });

  test('interface any: all that is forwarded, and the router itself only with router-traffic', () => {
    const any = [{ name: 'any', inspectIn: 'R' }];
    const without = chains(any, [{ protocol: 'tcp' }]);
    expect(without.chain('POSTERN-FORWARD')[0]).toBe('-p tcp -j POSTERN-QUEUE');
    expect(without.ipv4).not.toMatch(/-A (INPUT|OUTPUT) /);
    const { chain } = chains(any, [{ protocol: 'tcp', routerTraffic: true }]);
    expect(chain('POSTERN-INPUT')[0]).toBe('! -i lo -p tcp -j POSTERN-QUEUE');
    expect(chain('POSTERN-OUTPUT')[1]).toBe('! -o lo -p tcp -j POSTERN-QUEUE');
  });

  test('block-non-session brings every later segment of the interface, either way', () => {
    const inspect = { blockNonSession: true };
    const { chain } = chains(inX, [{ protocol: 'tcp' }], { inspect });
    expect(chain('POSTERN-FORWARD')).toContain('-i eth0 -p tcp ! --syn -j POSTERN-QUEUE');
    expect(chain('POSTERN-FORWARD')).toContain('-o eth0 -p tcp ! --syn -j POSTERN-QUEUE');
    expect(chains(inX, [{ protocol: 'udp' }], { inspect }).ipv4).not.toContain('! --syn -j');
    expect(chains(inX, [{ protocol: 'tcp' }]).ipv4).not.toContain('! --syn -j');
  });
});

describe('sessions', () => {
  test('an accept is noted in the connection; its answers carry the mark to the queue', () => {
    const { chain } = chains(inX, [{ protocol: 'tcp' }], { postern: { offload: false } });
    expect(chain('POSTERN-QUEUE').slice(0, 3)).toEqual([
      '-m mark ! --mark 0x0/0x1f000000 -j MARK --set-xmark 0x0/0x1f000000',
      '-m connmark --mark 0x10000000/0x10000000 -m conntrack --ctdir REPLY -j MARK --set-xmark 0x10000000/0x10000000',
      '-m addrtype --dst-type LOCAL -m conntrack --ctstate NEW -j CONNMARK --set-xmark 0x10000000/0x10000000',
    ]);
    expect(chain('POSTERN-SAVE')).toEqual([
      '-m mark --mark 0x0/0x1f000000 -j RETURN',
      '-m mark --mark 0x10000000/0x10000000 -j CONNMARK --set-xmark 0x10000000/0x10000000',
      '-j MARK --set-xmark 0x0/0x1f000000',
    ]);
  });

  test('mail alone needs none', () => {
    expect(chains(inX, [{ protocol: 'smtp' }]).ipv4).not.toMatch(/0x10000000|addrtype/);
  });
});

describe('ip port-map … list', () => {
  const address = (host: string, wildcard = '0.0.0.0') => ({ address: host, wildcard });
  const entry = (action: 'permit' | 'deny', source: ReturnType<typeof address>) =>
    ({ kind: 'rule', action, protocol: 'ip', source, destination: address('0.0.0.0', '255.255.255.255') }) as const;
  const entries = [entry('deny', address('10.0.0.9')), entry('permit', address('10.0.0.0', '0.0.0.255'))];
  const portMaps = [{ application: 'smtp', transport: 'tcp', from: 2525, to: 2525, list: '10' }] as const;
  const accessLists = [{ name: '10', kind: 'standard', entries }] as const;

  test('the port is mail toward those hosts only, in their order', () => {
    const { chain, chain6 } = chains(inX, [{ protocol: 'smtp' }], { portMaps, accessLists });
    expect(chain('POSTERN-FORWARD')).toEqual([
      '-i eth0 -p tcp -m multiport --dports 25,587 -j POSTERN-QUEUE',
      '-o eth0 -p tcp -m multiport --sports 25,587 -j POSTERN-QUEUE',
      '-i eth0 -p tcp -m multiport --dports 2525 -j POSTERN-TO-1',
      '-o eth0 -p tcp -m multiport --sports 2525 -j POSTERN-FROM-1',
    ]);
    expect(chain('POSTERN-TO-1')).toEqual(['-d 10.0.0.9 -j RETURN', '-d 10.0.0.0/255.255.255.0 -j POSTERN-QUEUE']);
    expect(chain('POSTERN-FROM-1')).toEqual(['-s 10.0.0.9 -j RETURN', '-s 10.0.0.0/255.255.255.0 -j POSTERN-QUEUE']);
    expect(chain6('POSTERN-FORWARD').join()).not.toContain('2525');
  });

  test('a list without entries permits every host', () => {
    const { chain } = chains(inX, [{ protocol: 'smtp' }], { portMaps });
    expect(chain('POSTERN-FORWARD')[0]).toContain('--dports 25,587,2525 -j POSTERN-QUEUE');
  });
});
