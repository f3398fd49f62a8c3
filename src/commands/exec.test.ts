import { describe, expect, test } from 'vitest';
import type { SessionSnapshot, Statistics } from '../firewall/snapshot.ts';
import { runExec } from './exec.ts';
import type { ExecContext } from './exec-context.ts';
import { parseConfiguration } from './parse-configuration.ts';

const CLASSIC = `
ip inspect audit-trail
ip inspect name mail-guard smtp
ip inspect name mail-guard pop3 reset secure-login audit-trail off timeout 1800
interface eth0
 ip access-group 110 in
 ip inspect mail-guard in
access-list 110 permit tcp any any eq smtp
access-list 10 permit 192.0.2.0 0.0.0.255
ip port-map smtp port tcp 2525
class-map type inspect match-all C
 match access-group 110
 match protocol smtp
`;

function session(id: string, state: SessionSnapshot['state'], more: Partial<SessionSnapshot> = {}): SessionSnapshot {
  return {
    id,
    protocol: 'smtp',
    state,
    stage: 'mail',
    initiator: { address: '198.51.100.10', port: 39349 },
    responder: { address: '203.0.113.25', port: 25 },
    bytes: { initiator: 196, responder: 616 },
    createdSecondsAgo: 34.9,
    lastHeardSecondsAgo: 3_725,
    offloaded: false,
    rule: 'mail-guard',
    ...more,
  };
}

const STATISTICS: Statistics = {
  packets: {
    received: 794,
    accepted: 700,
    rewritten: 4,
    dropped: 90,
    held: 0,
    kernelDropped: 3,
    gateKernelDropped: 1,
    injected: 9,
  },
  protocolPackets: { smtp: 178, tcp: 616, udp: 31 },
  sessions: {
    established: 1,
    halfOpen: 2,
    terminating: 0,
    created: 42,
    maxEstablished: 9,
    maxHalfOpen: 6,
    maxTerminating: 5,
    lastCreatedSecondsAgo: 972,
    creationRate: 0,
    maxCreationRate: 6,
    setupsAborted: 4,
    setupRates: { oneMinute: 0, fiveMinutes: 0.1 },
    oneMinuteRate: 3,
  },
  reassembly: { outOfOrderPackets: 1, droppedPackets: 0, peakBytes: 700, currentBytes: 0, peakQueueLength: 1 },
  refusals: { 'invalid-command': 3, midstream: 0 },
  drops: {},
  masks: { EHLO: 2 },
  content: { octets: 0, scannedOctets: 0 },
  netlinkOverruns: 0,
  aggressive: false,
  blockedHosts: 0,
  synProxyHosts: [],
  workers: [{ queue: 0, heartbeatAgeMs: 12, restarts: 1 }],
  startedSecondsAgo: 100,
};

function context(
  text = CLASSIC,
  sessions: readonly SessionSnapshot[] = [session('66F96EB0', 'SIS_OPEN')],
  unlisted = 0,
) {
  const done: string[] = [];
  const value: ExecContext = {
    configuration: parseConfiguration(text, 'file').configuration,
    configurationFile: '/etc/postern/postern.conf',
    version: '9.9',
    startupText: async () => '! as written\n',
    sessions: async () => sessions,
    unlistedHalfOpen: () => unlisted,
    blockedHosts: () => [{ address: '203.0.113.25', blockedSeconds: 34, remainingSeconds: 86 }],
    unblock: () => 0,
    endDebug: () => 2,
    statistics: async () => STATISTICS,
    clearSessions: async (id) => {
      done.push(id);
      return id === 'all' || id === '66F96EB0' ? 1 : 0;
    },
    clearStatistics: async () => void done.push('statistics'),
    reload: async () => ['f:1:1: % wrong'],
    save: async (saved) => {
      done.push(saved);
      return [];
    },
  };
  return { value, done };
}

async function show(command: string, at: ExecContext = context().value): Promise<string> {
  const reply = await runExec({ command }, at);
  return reply.output ?? reply.error ?? '';
}

describe('show ip inspect', () => {
  test('config prints what the classic release printed', async () => {
    expect(await show('sh ip insp conf')).toBe(`Session audit trail is enabled
one-minute (sampling period) thresholds are [400:500] connections
max-incomplete sessions thresholds are [400:500]
max-incomplete tcp connections per host is 50. Block-time 0 minute.
tcp synwait-time is 30 sec -- tcp finwait-time is 5 sec
tcp idle-time is 3600 sec -- udp idle-time is 30 sec
dns-timeout is 5 sec
Inspection Rule Configuration
 Inspection name mail-guard
    smtp max-data 20971520 alert is on audit-trail is on timeout 3600
    pop3 reset secure-login alert is on audit-trail is off timeout 1800
`);
  });

  test('config prints what the modern release prints', async () => {
    const modern = context(
      'postern compat defaults modern\nip inspect alert-off\nip inspect max-incomplete high 400',
    ).value;
    expect(await show('show ip inspect config', modern)).toBe(`Session audit trail is disabled
Session alert is disabled
one-minute (sampling period) thresholds are [unlimited : unlimited] connections
max-incomplete sessions thresholds are [400 : 400]
max-incomplete tcp connections per host is unlimited. Block-time 0 minute.
tcp synwait-time is 30 sec -- tcp finwait-time is 5 sec
tcp idle-time is 3600 sec -- udp idle-time is 30 sec
tcp reassembly queue length 16; timeout 5 sec; memory-limit 1024 kilo bytes
dns-timeout is 5 sec
Inspection Rule Configuration
`);
  });

  test('interfaces', async () => {
    expect(await show('show ip inspect interfaces')).toBe(`Interface Configuration
 Interface eth0
  Inbound inspection rule is mail-guard
    smtp max-data 20971520 alert is on audit-trail is on timeout 3600
    pop3 reset secure-login alert is on audit-trail is off timeout 1800
  Outgoing inspection rule is not set
  Inbound access list is 110
  Outgoing access list is not set
`);
  });

  test('sessions stand under their headings; those without sessions are left out', async () => {
    const sessions = [
      session('0000000C', 'SIS_CLOSING'),
      session('0000000B', 'SIS_OPENING'),
      session('0000000A', 'SIS_OPEN', { responder: { address: '2001:db8::1', port: 110 }, protocol: 'pop3' }),
    ];
    const { value } = context(CLASSIC, sessions);
    expect(await show('show ip inspect sess', value)).toBe(`Established Sessions
 Session 0000000A (198.51.100.10:39349)=>[2001:db8::1]:110 pop3 SIS_OPEN
Half-open Sessions
 Session 0000000B (198.51.100.10:39349)=>(203.0.113.25:25) smtp SIS_OPENING
Terminating Sessions
 Session 0000000C (198.51.100.10:39349)=>(203.0.113.25:25) smtp SIS_CLOSING
`);
    expect(await show('show ip inspect sis', context(CLASSIC, []).value)).toBe('');
  });

  test('half-open sessions beyond those that are listed are counted', async () => {
    const listed = [session('8000000B', 'SIS_OPENING', { protocol: 'tcp' })];
    expect(await show('show ip inspect sessions', context(CLASSIC, listed, 900).value)).toBe(`Half-open Sessions
 Session 8000000B (198.51.100.10:39349)=>(203.0.113.25:25) tcp SIS_OPENING
 and 900 more, not listed
`);
    expect(await show('show ip inspect sessions', context(CLASSIC, [], 0).value)).toBe('');
  });

  test('session detail of an opening says which list its answers pass, and how often', async () => {
    const opened = [session('66F96EB0', 'SIS_OPEN', { opening: { list: '102', matches: 12 } })];
    expect(await show('show ip inspect session detail', context(CLASSIC, opened).value)).toBe(`Established Sessions
 Session 66F96EB0 (198.51.100.10:39349)=>(203.0.113.25:25) smtp SIS_OPEN
  Created 00:00:34, Last heard 01:02:05
  Bytes sent (initiator:responder) [196:616]
  In  SID 203.0.113.25[25:25]=>198.51.100.10[39349:39349] on ACL 102  (12 matches)
  Stage mail, inspection rule mail-guard
`);
    const once = [session('66F96EB0', 'SIS_OPEN', { opening: { list: 'OUT', matches: 1 } })];
    expect(await show('show ip inspect session detail', context(CLASSIC, once).value)).toContain(' (1 match)\n');
    expect(await show('show ip inspect sessions', context(CLASSIC, once).value)).not.toContain('SID');
  });

  test('hosts that are blocked, and the counters of the MIB', async () => {
    expect(await show('show ip inspect blocked-hosts')).toBe(
      ' Host 203.0.113.25 blocked for 00:00:34, 00:01:26 left\n',
    );
    const statistics = async (): Promise<Statistics> => ({
      ...STATISTICS,
      sessions: { ...STATISTICS.sessions, setupsAborted: 5, setupRates: { oneMinute: 7.4, fiveMinutes: 2.6 } },
      refusals: { 'host-blocked': 100, 'flow-table-full': 10, 'session-limit': 20, 'invalid-command': 7 },
    });
    expect(
      await show('show ip inspect mib connection-statistics', { ...context().value, statistics }),
    ).toBe(`Connection statistics (CISCO-UNIFIED-FIREWALL-MIB)
  Connections Attempted                    42
  Connections Setup Aborted                135
  Connections Policy Declined              100
  Connections Resource Declined            30
  Connections Half Open                    2
  Connections Active                       1
  Connections 1-min Setup Rate             7
  Connections 5-min Setup Rate             3
`);
  });

  test('session detail', async () => {
    expect(await show('show ip inspect session detail')).toBe(`Established Sessions
 Session 66F96EB0 (198.51.100.10:39349)=>(203.0.113.25:25) smtp SIS_OPEN
  Created 00:00:34, Last heard 01:02:05
  Bytes sent (initiator:responder) [196:616]
  Stage mail, inspection rule mail-guard
`);
  });

  test('session detail says how many segments contradicted what was seen before', async () => {
    const altered = [session('66F96EB0', 'SIS_OPEN', { altered: 3 })];
    expect(await show('show ip inspect session detail', context(CLASSIC, altered).value)).toContain(
      '  Stage mail, inspection rule mail-guard, segments altered 3\n',
    );
    expect(await show('show ip inspect sessions', context(CLASSIC, altered).value)).not.toContain('altered');
  });

  test('session detail of a zone policy says which class', async () => {
    const zoned = [session('66F96EB0', 'SIS_OPEN', { rule: '', zonePair: 'OUT-IN', className: 'MAIL' })];
    expect(await show('show ip inspect session detail', context(CLASSIC, zoned).value)).toContain(
      '\n  Stage mail, zone-pair OUT-IN class MAIL\n',
    );
  });

  test('statistics', async () => {
    expect(await show('show ip inspect statistics')).toBe(`Packet inspection statistics [process switch:fast switch]
  tcp packets: [616:0]
  udp packets: [31:0]
  icmp packets: [0:0]
  smtp packets: [178:0]
Interfaces configured for inspection 1
Session creations since subsystem startup or last reset 42
Current session counts (estab/half-open/terminating) [1:2:0]
Maxever session counts (estab/half-open/terminating) [9:6:5]
Last session created 00:16:12
Last statistic reset never
Last session creation rate 0
Maxever session creation rate 6
Last half-open session total 2
TCP reassembly statistics
  received 1 packets out-of-order; dropped 0
  peak memory usage 1 KB; current usage: 0 KB
  peak queue length 1
Packet verdicts
  received 794; accepted 700; rewritten 4; dropped 90
  held 0; lost in the kernel's queues 3; injected 9
  socket overruns 0
Aggressive mode is off
Refusals
  invalid-command 3
Masks
  EHLO 2
`);
  });

  test('statistics say when they were cleared', async () => {
    const statistics = async (): Promise<Statistics> => ({ ...STATISTICS, clearedSecondsAgo: 65 });
    const { output } = await runExec({ command: 'show ip inspect statistics' }, { ...context().value, statistics });
    expect(output).toContain('\nLast statistic reset 00:01:05\n');
  });

  test('name and all are made of the same blocks', async () => {
    const rule = await show('show ip inspect name mail-guard');
    expect(rule.startsWith(' Inspection name mail-guard\n    smtp ')).toBe(true);
    expect(await show('show ip inspect name other')).toBe('% Inspection rule other is not defined');
    const blocks = await Promise.all(
      ['config', 'interfaces', 'sessions'].map((word) => show(`show ip inspect ${word}`)),
    );
    expect(await show('show ip inspect all')).toBe(blocks.join(''));
  });
});

describe('json', () => {
  const json = async (command: string): Promise<unknown> =>
    JSON.parse((await runExec({ command, json: true }, context().value)).output ?? '');

  test('sessions and statistics have the shapes of the contract', async () => {
    expect(await json('show ip inspect sessions')).toEqual([session('66F96EB0', 'SIS_OPEN')]);
    expect(await json('sh ip insp stat')).toEqual(STATISTICS);
  });

  test('every show has a structure', async () => {
    for (const command of ['config', 'interfaces', 'all', 'name mail-guard'].map((word) => `show ip inspect ${word}`)) {
      expect(await json(command)).toBeTruthy();
    }
    for (const word of [
      'running-config',
      'startup-config',
      'version',
      'postern workers',
      'postern status',
      'ip port-map',
      'access-lists',
    ]) {
      expect(await json(`show ${word}`)).toBeTruthy();
    }
  });

  test('unlimited is null', async () => {
    const { value } = context('postern compat defaults modern');
    const reply = await runExec({ command: 'show ip inspect config', json: true }, value);
    expect(JSON.parse(reply.output ?? '')).toMatchObject({ maxIncompleteHigh: null, tcpSynwaitTimeSeconds: 30 });
  });
});

describe('other commands', () => {
  test('show running-config loads again', async () => {
    const { value } = context();
    const again = parseConfiguration(await show('show run', value), 'again');
    expect(again.errors).toEqual([]);
    expect(again.configuration).toEqual(value.configuration);
  });

  test('show of ports, lists, maps and workers', async () => {
    expect(await show('show ip port-map smtp | include 2525')).toBe(
      'Default mapping:  smtp                 tcp port 2525                      user defined\n',
    );
    expect(await show('show access-lists')).toBe(`Extended IP access list 110
    10 permit tcp any any eq smtp
Standard IP access list 10
    10 permit 192.0.2.0, wildcard bits 0.0.0.255
`);
    expect(await show('show access-lists 10')).toContain('Standard IP access list 10');
    expect(await show('show access-lists 11')).toContain('% Access list 11 is not defined');
    expect(await show('show class-map type inspect')).toBe(
      ' Class Map type inspect match-all C (id 1)\n   Match access-group  110\n   Match protocol smtp\n',
    );
    expect(await show('show postern workers')).toBe('Queue  Last heard  Restarts\n0      12 ms       1\n');
    expect(await show('show version')).toContain('Version 9.9\nRouter uptime is 00:01:40\n');
    expect(await show('show startup-config')).toBe('! as written\n');
  });

  test('clear asks for exactly what was typed', async () => {
    const { value, done } = context();
    expect(await runExec({ command: 'clear ip inspect session 66f96eb0' }, value)).toEqual({ output: '' });
    expect(await runExec({ command: 'clear ip insp sess 12' }, value)).toEqual({ error: '% No session 12' });
    await runExec({ command: 'clear ip inspect sessions all' }, value);
    await runExec({ command: 'clear ip inspect statistics' }, value);
    expect(done).toEqual(['66F96EB0', '12', 'all', 'statistics']);
  });

  test.each(['undebug all', 'und all', 'no debug all', 'no debug ip inspect tcp', 'undebug ip inspect detailed'])(
    '%s ends the debug streams',
    async (command) => {
      expect(await show(command)).toBe('All possible debugging has been turned off\n');
      expect(await runExec({ command, json: true }, context().value)).toEqual({ output: '{\n  "ended": 2\n}\n' });
    },
  );

  test('write saves the running configuration, a reload that fails says why', async () => {
    const { value, done } = context('hostname X');
    expect(await show('wr mem', value)).toContain('[OK]');
    expect(done).toEqual(['!\nhostname X\nend\n']);
    expect(await show('copy start run', value)).toBe('f:1:1: % wrong');
  });
});

describe('what is no command', () => {
  test('is answered in the words of IOS', async () => {
    expect(await show('show ip')).toBe('% Incomplete command.');
    expect(await show('show ip inspect s')).toBe('% Ambiguous command:  "show ip inspect s"');
    expect(await show('show nonsense')).toBe("show nonsense\n     ^\n% Invalid input detected at '^' marker.");
    expect(await show('')).toBe('% Incomplete command.');
    expect(await show('x'.repeat(5_000))).toBe('% The command is too long');
  });
});

describe('output filters', () => {
  test.each([
    ['include max-incomplete', 2],
    ['inc ^tcp', 2],
    ['include sec$', 3],
    ['include synwait|dns', 2],
    ['exclude is', 4],
    ['begin Inspection Rule', 4],
    ['include (a+)+$', 0],
    ['include', -1],
    ['inclde x', -1],
  ])('| %s', async (filter, lines) => {
    const reply = await runExec({ command: `show ip inspect config | ${filter}` }, context().value);
    expect(reply.output === undefined ? -1 : reply.output.split('\n').length - 1).toBe(lines);
  });
});
