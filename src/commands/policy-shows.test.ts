import { describe, expect, test } from 'vitest';
import { runExec } from './exec.ts';
import { BUSY, MAIL, NOTHING, zoneContext } from './zone-show-fixture.ts';

async function show(command: string, known = BUSY, text = MAIL): Promise<string> {
  const reply = await runExec({ command }, zoneContext(text, known).value);
  return reply.output ?? reply.error ?? '';
}

async function json(command: string, known = BUSY): Promise<unknown> {
  return JSON.parse((await runExec({ command, json: true }, zoneContext(MAIL, known).value)).output ?? '');
}

const EMPTY = 'hostname X';

describe('show class-map and policy-map (cisco-ios 5.10)', () => {
  test('classes of all types, of one, and by name', async () => {
    const layer4 = ` Class Map type inspect match-all MAIL-IN (id 4)
   Description: Mail for us
   Match protocol smtp
   Match access-group  101
`;
    expect(await show('show class-map type inspect MAIL-IN')).toBe(layer4);
    expect(await show('show class-map type inspect')).toContain(layer4);
    expect(await show('show class-map type inspect smtp')).toBe(` Class Map type inspect smtp match-any c1 (id 1)
   Match recipient count gt 25
   Match sender address regex bad-guys
 Class Map type inspect smtp match-any hide (id 2)
   Match cmd verb ETRN
   Match cmd verb ATRN
 Class Map type inspect smtp match-all big (id 3)
   Match cmd line length gt 256
   Match cmd verb MAIL
`);
    expect(await show('show class-map type inspect pop3')).toBe('');
    expect(await show('show class-map type inspect pop3 c1')).toBe('% Class map c1 is not defined');
    expect(await show('show class-map type inspect', NOTHING, EMPTY)).toBe('');
    expect(await json('show class-map type inspect smtp big')).toEqual([
      {
        name: 'big',
        id: 3,
        protocol: 'smtp',
        combine: 'match-all',
        matches: [{ words: ['cmd', 'line', 'length', 'gt', '256'] }, { words: ['cmd', 'verb', 'MAIL'] }],
      },
    ]);
  });

  test('policies with what they do to their classes', async () => {
    expect(await show('show policy-map type inspect MAIL-POLICY')).toBe(`  Policy Map type inspect MAIL-POLICY
    Class MAIL-IN
      Inspect PARAM
      Service-policy smtp P1
    Class ICMP
      Pass
    Class class-default
      Drop log
`);
    expect(await show('sh policy-map type inspect smtp')).toBe(`  Policy Map type inspect smtp P1
    Class c1
      Log
      Reset
    Class hide
      Mask
    Class big
      Reset
      Shadow
`);
    expect(await show('show policy-map type inspect POLICED')).toContain(
      '\n    Description: Slowly\n    Class MAIL-IN\n',
    );
    expect(await show('show policy-map type inspect smtp MAIL-POLICY')).toBe('% Policy map MAIL-POLICY is not defined');
    expect(await show('show policy-map type inspect', NOTHING, EMPTY)).toBe('');
    expect(await json('show policy-map type inspect smtp P1')).toMatchObject([
      { name: 'P1', protocol: 'smtp', classes: [{ name: 'c1', actions: [['log'], ['reset']] }, {}, {}] },
    ]);
  });
});

describe('show parameter-map', () => {
  test('type inspect: every value as it holds, in the captured order', async () => {
    expect(await show('show parameter-map type inspect')).toBe(` parameter-map type inspect PARAM
  audit-trail on
  alert on
  max-incomplete low  300
  max-incomplete high 400
  one-minute low  unlimited
  one-minute high unlimited
  udp idle-time 30 ageout-time 30
  icmp idle-time 10 ageout-time 10
  dns-timeout 5
  tcp idle-time 80 ageout-time 80
  tcp finwait-time 5 ageout-time 5
  tcp synwait-time 30 ageout-time 30
  tcp max-incomplete host unlimited block-time 0
  sessions maximum unlimited
  tcp idle reset off
`);
    expect(await show('show parameter-map type inspect PARAM')).toBe(await show('show parameter-map type inspect'));
    expect(await show('show parameter-map type inspect NONE')).toBe('% Parameter map NONE is not defined');
    expect(await show('show parameter-map type inspect', NOTHING, EMPTY)).toBe('');
  });

  test('type inspect: default and global are there though nobody configured them', async () => {
    for (const name of ['default', 'global']) {
      const shown = await show(`show parameter-map type inspect ${name}`, NOTHING, EMPTY);
      expect(shown.split('\n').slice(0, 3)).toEqual([
        ` parameter-map type inspect ${name}`,
        '  audit-trail off',
        '  alert on',
      ]);
    }
    const changed = 'parameter-map type inspect default\n audit-trail on\n';
    expect(await show('show parameter-map type inspect default', NOTHING, changed)).toContain('  audit-trail on\n');
    expect(await json('show parameter-map type inspect PARAM')).toEqual([
      expect.objectContaining({
        name: 'PARAM',
        kind: 'inspect',
        auditTrail: true,
        tcpIdleSeconds: 80,
        maxIncompleteHigh: 400,
        sessionsMaximum: null,
        other: ['tcp idle reset off'],
      }),
    ]);
  });

  test('type regex: how each pattern is read', async () => {
    expect(await show('show parameter-map type regex bad-guys')).toBe(String.raw` parameter-map type regex bad-guys
  pattern "*deals\.com"
   read as glob; effective /deals\.com$/, in a body /deals\.com/
  pattern "(spam|junk)@example\.com"
   read as regex; effective /(spam|junk)@example\.com/
`);
    expect(await json('show parameter-map type regex')).toMatchObject([
      {
        name: 'bad-guys',
        patterns: [
          { pattern: String.raw`*deals\.com`, readAs: 'glob', effective: String.raw`/deals\.com$/` },
          { pattern: String.raw`(spam|junk)@example\.com`, readAs: 'regex' },
        ],
      },
    ]);
    expect(await show('show parameter-map type regex', NOTHING, EMPTY)).toBe('');
    expect(await show('show parameter-map type regex PARAM')).toBe('% Parameter map PARAM is not defined');
  });

  test('type regex: what was typed decides over the look', async () => {
    const typed = `parameter-map type regex R
 ignore-case
 pattern-type glob
 pattern "Subject:*lottery*"
 pattern "[x]"`;
    expect(await show('show parameter-map type regex R', NOTHING, typed)).toBe(String.raw` parameter-map type regex R
  ignore-case
  pattern-type glob
  pattern "Subject:*lottery*"
   read as glob; effective /^Subject:.*lottery/i, in a body /Subject:.*lottery/i
  pattern "[x]"
   read as glob; effective /^\[x\]$/i, in a body /\[x\]/i
`);
    const regex = 'parameter-map type regex R\n pattern-type regex\n pattern "a-*b"';
    expect(await show('show parameter-map type regex R', NOTHING, regex)).toContain(
      'read as regex; effective /a-*b/\n',
    );
  });
});

describe('show policy-firewall (cisco-ios 5.9)', () => {
  test('config', async () => {
    expect(await show('show policy-firewall config zone-pair OUT-TO-DMZ')).toBe(`Zone-pair              : OUT-TO-DMZ
Source Zone            : outside
  Member Interfaces:
    eth0
Destination Zone       : dmz
  Member Interfaces:
    eth1
    eth2
Service-policy inspect : MAIL-POLICY
  Class-map : MAIL-IN (match-all)
   Match protocol smtp
   Match access-group 101
  Action : inspect
   Parameter-map : PARAM
   Service-policy inspect smtp : P1
  Class-map : ICMP (match-all)
   Match protocol icmp
  Action : pass
   Parameter-map : Default
  Class-map : class-default (match-any)
   Match any
  Action : drop log
   Parameter-map : Default
---------------------------
Parameter-map Configuration:
  Parameter-map type inspect: PARAM
  --------------------------
   alert messages                 : on
   audit trailing                 : on
   logging dropped-packets        : off
   icmp session idle-time         : 10 sec, ageout-time: 10 sec
   dns session idle-time          : 5 sec
   tcp session half-open          : on, half-close: on, idle: off
   tcp session idle-time          : 80 sec, ageout-time: 80 sec
   tcp session FIN wait-time      : 5 sec, FIN ageout-time: 5 sec
   tcp session SYN wait-time      : 30 sec, SYN ageout-time: 30 sec
   tcp loose window scaling enforcement: off
   tcp max-half-open connections/host  : unlimited block-time: 0 min
   udp session idle-time          : 30 sec, ageout-time: 30 sec
   sessions, connections/min threshold (low) : unlimited
   sessions, connections/min threshold (high): unlimited
   sessions, connection rate threshold (low) : unlimited
   sessions, connection rate threshold (high): unlimited
   sessions, max-incomplete threshold (low)  : 300
   sessions, max-incomplete threshold (high) : 400
   sessions, maximum no. of inspect sessions : unlimited
   total number of packets per flow          : default
   zone mismatch drop option      : off
`);
    expect(await show('show policy-firewall config')).toContain('\n  Parameter-map type inspect: Default\n');
    expect(await show('show policy-firewall config zone-pair NONE')).toBe('% Zone-pair NONE is not defined');
    expect(await show('show policy-firewall config', NOTHING, EMPTY)).toBe(
      '---------------------------\nParameter-map Configuration:\n',
    );
    expect(await json('show policy-firewall config zone-pair TO-US')).toMatchObject({
      zonePairs: [{ zonePair: 'TO-US', classes: [{ className: 'MAIL-IN' }, { action: 'default' }] }],
      parameterMaps: [{ name: 'default', sessionsMaximum: null }],
    });
  });

  test('sessions by zone-pair and class', async () => {
    expect(await show('show policy-firewall session zone-pair TO-US')).toBe(`  Zone-pair: TO-US
    Class-map: MAIL-IN
        Established Sessions
         Session ID 0x00000700 (198.51.100.7:38012)=>(192.0.2.25:25) smtp SIS_OPEN
          Created 00:01:48, Last heard 00
          Bytes sent (initiator:responder) [21:31]
`);
    expect(await show('show policy-firewall sessions', NOTHING)).toBe('');
    expect(await json('show policy-firewall sessions')).toHaveLength(4);
  });

  test('statistics of the box', async () => {
    const lines = [
      '  Global (Per-Box) statistics',
      '       Half Open Aggressive Aging Period On',
      '',
      '               \tHalf Open',
      '       Protocol\tSession Cnt\tExceed',
      '       --------\t-----------\t------',
      '       All\t12\t\t4',
      '',
      '       No zone-pair between zones: 11 packets',
      '       One of the interfaces not in a zone: 0 packets',
      '       Content: 1000 octets passed, 875 octets inspected (87.5 %)',
      '',
    ];
    expect(await show('show policy-firewall stats global')).toBe(lines.join('\n'));
    expect(await json('show policy-firewall stats global')).toEqual({
      aggressive: true,
      halfOpen: 12,
      evicted: 4,
      dropped: { noZonePair: 11, notZoned: 0 },
      content: { octets: 1_000, scannedOctets: 875 },
    });
    const { value } = zoneContext(EMPTY, NOTHING);
    const { zoneMatches: _rules, ...without } = value;
    const statistics = async () => ({
      ...(await value.statistics()),
      refusals: {},
      content: { octets: 0, scannedOctets: 0 },
    });
    const reply = await runExec({ command: 'show policy-firewall stats' }, { ...without, statistics });
    expect(reply.output).toBe(
      [...lines.slice(0, 6), '       All\t12\t\t0', '', '       Content: 0 octets passed, 0 octets inspected', ''].join(
        '\n',
      ),
    );
  });

  test('statistics of zones', async () => {
    expect(await show('show policy-firewall stats zone dmz')).toBe(`Zone: dmz
  Zone-pair: OUT-TO-DMZ (outside to dmz)
    Class-map: MAIL-IN: 116 sessions, 2 established
    Class-map: ICMP: 7 packets, 588 bytes
    Class-map: class-default: 3 packets, 180 bytes
`);
    expect(await show('show policy-firewall stats zone self')).toBe('Zone: self\n');
    expect(await show('show policy-firewall stats zone nowhere')).toBe('% Zone nowhere does not exist');
    const all = await show('show policy-firewall stats');
    expect(all).toContain('  Global (Per-Box) statistics\n');
    expect(all).toContain('\nZone: inside\n  Zone-pair: TO-US (outside to inside)\n');
    expect(await json('show policy-firewall stats zone inside')).toMatchObject({
      zone: 'inside',
      zonePairs: [{ zonePair: 'TO-US' }],
    });
  });
});
