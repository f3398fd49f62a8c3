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

describe('show policy-map type inspect zone-pair (cisco-ios 5.8)', () => {
  test('counters of sessions, of application classes and of the kernel', async () => {
    expect(await show('show policy-map type inspect zone-pair OUT-TO-DMZ')).toBe(`policy exists on zp OUT-TO-DMZ
  Zone-pair: OUT-TO-DMZ

  Service-policy inspect : MAIL-POLICY

    Class-map: MAIL-IN (match-all)
      Match: protocol smtp
      Match: access-group 101

   Inspect
        Packet inspection statistics [process switch:fast switch]
        tcp packets: [996:0]
        smtp packets: [996:0]

        Session creations since subsystem startup or last reset 116
        Current session counts (estab/half-open/terminating) [2:0:1]
        Maxever session counts (estab/half-open/terminating) [53:-:-]
        Last session created 00:01:01
        Last statistic reset never
        Last session creation rate 115
        Maxever session creation rate 120

      Service-policy inspect smtp : P1

        Class-map: c1 (match-any)
          Match: recipient count gt 25
            1 packets, 30 bytes
          Match: sender address regex bad-guys
            4 packets, 140 bytes
          5 packets, 170 bytes
          Log
          Reset

        Class-map: hide (match-any)
          Match: cmd verb ETRN
          Match: cmd verb ATRN
          0 packets, 0 bytes
          Mask

        Class-map: big (match-all)
          Match: cmd line length gt 256
          Match: cmd verb MAIL
          0 packets, 0 bytes
          Would have been: 2 packets, 640 bytes
          Reset
          Shadow

    Class-map: ICMP (match-all)
      Match: protocol icmp
      Pass
        7 packets, 588 bytes

    Class-map: class-default (match-any)
      Match: any
      Drop log
        3 packets, 180 bytes
`);
  });

  test('nothing happened yet, nothing was configured for the rest, and the rate is policed', async () => {
    expect(await show('sh policy-map ty insp zone-pair TO-US', NOTHING)).toBe(`policy exists on zp TO-US
  Zone-pair: TO-US

  Service-policy inspect : POLICED

    Class-map: MAIL-IN (match-all)
      Match: protocol smtp
      Match: access-group 101

   Inspect
        Packet inspection statistics [process switch:fast switch]

        Session creations since subsystem startup or last reset 0
        Current session counts (estab/half-open/terminating) [0:0:0]
        Maxever session counts (estab/half-open/terminating) [0:-:-]
        Last session created never
        Last statistic reset never
        Last session creation rate 0
        Maxever session creation rate 0
      Police
        rate 8000 bps,1000 limit
        exceeded 0 packets, 0 bytes; actions: drop

    Class-map: class-default (match-any)
      Match: any
      Drop (default action)
        0 packets, 0 bytes
`);
    expect(await show('show policy-map type inspect zone-pair TO-US')).toContain(
      '\n        exceeded 2 packets, 3000 bytes; actions: drop\n',
    );
  });

  test('sessions in place of the counters', async () => {
    const shown = await show('show policy-map type inspect zone-pair OUT-TO-DMZ sessions');
    expect(shown.split('\n').slice(5, 26).join('\n')).toBe(`    Class-map: MAIL-IN (match-all)
      Match: protocol smtp
      Match: access-group 101

      Inspect

        Established Sessions
         Session ID 0x00000001 (198.51.100.7:38012)=>(192.0.2.25:25) smtp SIS_OPEN
          Created 00:01:48, Last heard 00
          Bytes sent (initiator:responder) [21:31]
         Session ID 0x00000603 [2001:db8::1]:128=>(192.0.2.25:25) smtp SIS_OPEN
          Created 00:01:48, Last heard 00
          Bytes sent (initiator:responder) [21:31]
        Terminating Sessions
         Session ID 0x00000604 (198.51.100.7:38012)=>(192.0.2.25:25) smtp SIS_CLOSING
          Created 00:01:48, Last heard 00
          Bytes sent (initiator:responder) [21:31]

      Service-policy inspect smtp : P1

        Class-map: c1 (match-any)`);
    const none = await show('show policy-map type inspect zone-pair OUT-TO-DMZ sessions', NOTHING);
    expect(none).toContain('\n      Inspect\n\n      Service-policy inspect smtp : P1\n');
    expect(none).not.toContain('Session ID');
  });

  test('all pairs with a policy; one that is not there is an error', async () => {
    const all = await show('show policy-map type inspect zone-pair', NOTHING);
    expect(all.split('\n').filter((line) => line.startsWith('policy exists'))).toEqual([
      'policy exists on zp OUT-TO-DMZ',
      'policy exists on zp TO-US',
    ]);
    expect(await show('show policy-map type inspect zone-pair BACK')).toBe('');
    expect(await show('show policy-map type inspect zone-pair NONE')).toBe('% Zone-pair NONE is not defined');
    expect(await show('show policy-map type inspect zone-pair', NOTHING, 'hostname X')).toBe('');
  });

  test('where the kernel has no rules of ours, its numbers are left out', async () => {
    const { value } = zoneContext(MAIL, BUSY);
    const { zoneMatches: _rules, policyStatistics: _counts, ...without } = value;
    const reply = await runExec({ command: 'show policy-map type inspect zone-pair' }, without);
    expect(reply.output).toContain('\n      Pass\n\n');
    expect(reply.output).toContain('startup or last reset 0\n');
  });

  test('json', async () => {
    const [view] = (await json('show policy-map type inspect zone-pair OUT-TO-DMZ')) as [
      { readonly classes: readonly unknown[] },
    ];
    expect(view).toMatchObject({
      zonePair: 'OUT-TO-DMZ',
      source: 'outside',
      destination: 'dmz',
      policy: 'MAIL-POLICY',
    });
    expect(view.classes).toMatchObject([
      {
        className: 'MAIL-IN',
        action: 'inspect',
        parameterMap: 'PARAM',
        sessions: { created: 116, established: 2, halfOpen: 0, terminating: 1, maxOpen: 53, packets: { smtp: 996 } },
        application: {
          protocol: 'smtp',
          policy: 'P1',
          classes: [
            { className: 'c1', actions: ['log', 'reset'], hits: { count: 5, bytes: 170 } },
            { className: 'hide', matches: [{ match: 'cmd verb ETRN' }, { match: 'cmd verb ATRN' }] },
            { className: 'big', hits: { count: 0, bytes: 0 }, shadow: { count: 2, bytes: 640 } },
          ],
        },
      },
      { className: 'ICMP', action: 'pass', log: false, counted: { packets: 7, bytes: 588 } },
      { className: 'class-default', action: 'drop', log: true, counted: { packets: 3, bytes: 180 } },
    ]);
    expect(JSON.stringify(view)).not.toContain('"list"');
    expect(JSON.stringify(await json('show policy-map type inspect zone-pair sessions'))).toContain('"00000603"');
  });
});

describe('show zone and zone-pair (cisco-ios 5.10)', () => {
  test('zones with their members', async () => {
    expect(await show('show zone security')).toBe(`zone self
  Description: System defined zone

zone outside
  Description: The world
  Member Interfaces:
    eth0

zone dmz
  Member Interfaces:
    eth1
    eth2

zone inside
  Member Interfaces:
`);
    expect(await show('show zone security dmz')).toBe('zone dmz\n  Member Interfaces:\n    eth1\n    eth2\n');
    expect(await show('show zone security', NOTHING, 'hostname X')).toBe(
      'zone self\n  Description: System defined zone\n',
    );
    expect(await show('show zone security nowhere')).toBe('% Zone nowhere does not exist');
    expect(await json('show zone security dmz')).toEqual([
      { name: 'dmz', system: false, interfaces: ['eth1', 'eth2'] },
    ]);
  });

  test('zone-pairs by name and by zones', async () => {
    const out = `Zone-pair name OUT-TO-DMZ 1
    Source-Zone outside  Destination-Zone dmz
    service-policy MAIL-POLICY
`;
    const back = `Zone-pair name BACK 2
    Source-Zone dmz  Destination-Zone outside
    service-policy not configured
`;
    expect(await show('show zone-pair security')).toContain(out + back);
    expect(await show('show zone-pair security BACK')).toBe(back);
    expect(await show('sh zone-pair sec source outside dest dmz')).toBe(out);
    expect(await show('show zone-pair security source dmz destination self')).toBe('');
    expect(await show('show zone-pair security NONE')).toBe('% Zone-pair NONE is not defined');
    expect(await show('show zone-pair security', NOTHING, 'hostname X')).toBe('');
    expect(await json('show zone-pair security BACK')).toEqual([
      { name: 'BACK', source: 'dmz', destination: 'outside' },
    ]);
  });
});

describe('clear zone-pair', () => {
  test('counters and sessions, of one pair or all', async () => {
    const { value, asked } = zoneContext(MAIL, BUSY);
    for (const command of [
      'clear zone-pair counter',
      'clear zone-pair BACK counter',
      'clear zone-pair inspect session',
      'clear zone-pair BACK inspect sessions',
      'clear policy-firewall session',
      'clear policy-firewall session zone-pair BACK',
    ]) {
      expect(await runExec({ command }, value)).toEqual({ output: '' });
    }
    expect(asked).toEqual([
      'counter undefined',
      'counter BACK',
      'sessions undefined',
      'sessions BACK',
      'sessions undefined',
      'sessions BACK',
    ]);
    expect(await runExec({ command: 'clear zone-pair NONE counter' }, value)).toEqual({
      error: '% Zone-pair NONE is not defined',
    });
    expect(asked).toHaveLength(6);
  });
});
