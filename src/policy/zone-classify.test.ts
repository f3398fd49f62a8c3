import { describe, expect, it } from 'vitest';
import { type Configuration, EMPTY_CONFIGURATION, type PolicyClass } from './configuration.ts';
import { decideZone, zoneInspection } from './zone-classify.ts';
import type { ZonedFlow } from './zone-decision.ts';

const SMTP_FLOW: ZonedFlow = {
  protocol: 'smtp',
  initiator: { address: '203.0.113.7', port: 40_000 },
  responder: { address: '192.0.2.25', port: 25 },
  inInterface: 'out0',
  outInterface: 'dmz0',
};

const inspecting: readonly PolicyClass[] = [{ name: 'MAIL', actions: [['inspect']] }];

function zoned(classes: readonly PolicyClass[] = inspecting, changes: Partial<Configuration> = {}): Configuration {
  return {
    ...EMPTY_CONFIGURATION,
    zones: [{ name: 'outside' }, { name: 'dmz' }],
    zonePairs: [{ name: 'OUT-DMZ', source: 'outside', destination: 'dmz', policy: 'P' }],
    interfaces: [
      { name: 'out0', zone: 'outside' },
      { name: 'out1', zone: 'outside' },
      { name: 'dmz0', zone: 'dmz' },
      { name: 'free0' },
    ],
    classMaps: [{ name: 'MAIL', combine: 'match-all', matches: [{ words: ['protocol', 'smtp'] }] }],
    policyMaps: [{ name: 'P', classes }],
    ...changes,
  };
}

describe('the matrix of zones (cisco-ios 1.10)', () => {
  const decide = (inInterface: string, outInterface: string, configuration = zoned()) =>
    decideZone(configuration, { ...SMTP_FLOW, inInterface, outInterface });

  it('inspects by the policy of the pair', () => {
    expect(decide('out0', 'dmz0')).toMatchObject({
      kind: 'inspect',
      place: { zonePair: 'OUT-DMZ', policy: 'P', className: 'MAIL' },
      protocol: 'smtp',
    });
  });

  it('drops where no pair leads', () =>
    expect(decide('dmz0', 'out0')).toMatchObject({ kind: 'drop', reason: 'no-zone-pair' }));

  it('drops where a pair has no policy', () => {
    const bare = zoned(inspecting, { zonePairs: [{ name: 'OUT-DMZ', source: 'outside', destination: 'dmz' }] });
    expect(decide('out0', 'dmz0', bare)).toMatchObject({ kind: 'drop', reason: 'no-zone-pair' });
  });

  it('passes inside of a zone', () => expect(decide('out0', 'out1')).toEqual({ kind: 'pass', log: false }));

  it('drops between a zone and an interface in none', () => {
    expect(decide('out0', 'free0')).toMatchObject({ kind: 'drop', reason: 'not-zoned' });
    expect(decide('free0', 'dmz0')).toMatchObject({ kind: 'drop', reason: 'not-zoned' });
  });

  it('is not concerned without a zone, nor by the router without a pair of its own', () => {
    expect(decide('free0', 'free0')).toEqual({ kind: 'unzoned' });
    expect(decide('out0', '')).toEqual({ kind: 'unzoned' });
    expect(decide('', 'dmz0')).toEqual({ kind: 'unzoned' });
  });

  it('filters the router in the direction that has a pair', () => {
    const self = zoned(inspecting, {
      zonePairs: [{ name: 'OUT-SELF', source: 'outside', destination: 'self', policy: 'P' }],
    });
    expect(decide('out0', '', self)).toMatchObject({ kind: 'inspect' });
    expect(decide('', 'out0', self)).toEqual({ kind: 'unzoned' });
  });

  it('lets a pair speak for the interfaces in no zone', () => {
    const byDefault = zoned(inspecting, {
      zonePairs: [{ name: 'D', source: 'default', destination: 'dmz', policy: 'P' }],
    });
    expect(decide('free0', 'dmz0', byDefault)).toMatchObject({ kind: 'inspect' });
    expect(decide('free0', 'out0', byDefault)).toMatchObject({ kind: 'drop', reason: 'not-zoned' });
  });
});

describe('classes (cisco-ios 1.6)', () => {
  const web: ZonedFlow = { ...SMTP_FLOW, protocol: 'tcp', responder: { address: '192.0.2.80', port: 80 } };

  it('takes the first class that fits, then class-default, which drops by itself', () => {
    expect(decideZone(zoned(), web)).toMatchObject({ kind: 'drop', place: { className: 'class-default' }, log: false });
    const logged = zoned([...inspecting, { name: 'class-default', actions: [['drop', 'log']] }]);
    expect(decideZone(logged, web)).toMatchObject({ kind: 'drop', reason: 'zone-drop', log: true });
    const open = zoned([...inspecting, { name: 'class-default', actions: [['pass']] }]);
    expect(decideZone(open, web)).toMatchObject({ kind: 'pass', place: { className: 'class-default' } });
  });

  it('drops what a class without an action holds', () =>
    expect(decideZone(zoned([{ name: 'MAIL', actions: [] }]), SMTP_FLOW)).toMatchObject({ kind: 'drop' }));

  it('reads as the first protocol that fits', () => {
    const matches = (first: string, second: string) =>
      zoned(inspecting, {
        classMaps: [
          {
            name: 'MAIL',
            combine: 'match-any',
            matches: [{ words: ['protocol', first] }, { words: ['protocol', second] }],
          },
        ],
      });
    expect(decideZone(matches('smtp', 'tcp'), SMTP_FLOW)).toMatchObject({ protocol: 'smtp' });
    expect(decideZone(matches('tcp', 'smtp'), SMTP_FLOW)).toMatchObject({ protocol: 'tcp' });
    expect(decideZone(matches('http', 'dns'), web)).toMatchObject({ kind: 'inspect', protocol: 'tcp' });
    expect(decideZone(matches('https', 'dns'), web)).toMatchObject({ kind: 'drop' });
  });

  it('asks access lists and nested classes', () => {
    const host = (wildcard: string) => ({ address: '192.0.2.25', wildcard });
    const nested = zoned([{ name: 'IN', actions: [['inspect'], ['service-policy', 'smtp', 'L7']] }], {
      classMaps: [
        { name: 'PROTOS', combine: 'match-any', matches: [{ words: ['protocol', 'smtp'] }] },
        {
          name: 'IN',
          combine: 'match-all',
          matches: [{ words: ['access-group', 'name', 'SERVERS'] }, { words: ['class-map', 'PROTOS'] }],
        },
      ],
      accessLists: [
        {
          name: 'SERVERS',
          kind: 'extended',
          entries: [
            {
              kind: 'rule',
              action: 'permit',
              protocol: 'tcp',
              source: { address: '0.0.0.0', wildcard: '255.255.255.255' },
              destination: host('0.0.0.0'),
            },
          ],
        },
      ],
    });
    expect(decideZone(nested, SMTP_FLOW)).toMatchObject({ kind: 'inspect', protocol: 'smtp', application: 'L7' });
    const elsewhere = { ...SMTP_FLOW, responder: { address: '192.0.2.26', port: 25 } };
    expect(decideZone(nested, elsewhere)).toMatchObject({ kind: 'drop', place: { className: 'class-default' } });
    const six = { ...SMTP_FLOW, responder: { address: '2001:db8::25', port: 25 } };
    expect(decideZone(nested, six)).toMatchObject({ kind: 'drop' });
  });

  it("applies the application policy that is of the flow's protocol", () => {
    const services = [['inspect'], ['service-policy', 'smtp', 'S7'], ['service-policy', 'imap', 'I7']];
    const matches = [{ words: ['protocol', 'smtp'] }, { words: ['protocol', 'imap'] }, { words: ['protocol', 'pop3'] }];
    const both = zoned([{ name: 'MAIL', actions: services }], {
      classMaps: [{ name: 'MAIL', combine: 'match-any', matches }],
    });
    const toward = (protocol: 'smtp' | 'imap' | 'pop3', port: number) =>
      decideZone(both, { ...SMTP_FLOW, protocol, responder: { address: '192.0.2.25', port } });
    expect(toward('smtp', 25)).toMatchObject({ application: 'S7' });
    expect(toward('imap', 143)).toMatchObject({ application: 'I7' });
    expect(toward('pop3', 110)).not.toHaveProperty('application');
  });

  it('takes nothing into a class whose list is not there', () => {
    const missing = zoned(inspecting, {
      classMaps: [{ name: 'MAIL', combine: 'match-any', matches: [{ words: ['access-group', '199'] }] }],
    });
    expect(decideZone(missing, SMTP_FLOW)).toMatchObject({ kind: 'drop', place: { className: 'class-default' } });
  });

  it('ends where classes name each other in a circle', () => {
    const circle = zoned(inspecting, {
      classMaps: [
        { name: 'MAIL', combine: 'match-any', matches: [{ words: ['class-map', 'OTHER'] }] },
        { name: 'OTHER', combine: 'match-any', matches: [{ words: ['class-map', 'MAIL'] }] },
      ],
    });
    expect(decideZone(circle, SMTP_FLOW)).toMatchObject({ kind: 'drop' });
  });
});

describe('parameter-map type inspect (cisco-ios 1.4)', () => {
  const lines = [
    ['audit-trail', 'on'],
    ['max-incomplete', 'low', '800'],
    ['tcp', 'max-incomplete', 'host', '60', 'block-time', '1'],
    ['tcp', 'idle-time', '1800'],
  ];
  const configuration = zoned(inspecting, { parameterMaps: [{ name: 'M', kind: 'inspect', lines }] });

  it('holds over the defaults', () => {
    expect(zoneInspection(configuration, 'M')).toMatchObject({
      ...{ alert: true, auditTrail: true, maxIncompleteLow: 800, maxIncompleteHigh: Number.POSITIVE_INFINITY },
      ...{ tcpMaxIncompleteHost: 60, tcpBlockTimeMinutes: 1, tcpIdleSeconds: 1_800, synwaitSeconds: 30 },
    });
  });

  it('is all defaults without a map', () =>
    expect(zoneInspection(configuration)).toMatchObject({
      parameterMap: 'default',
      auditTrail: false,
      udpIdleSeconds: 30,
    }));
});
