import { describe, expect, test } from 'vitest';
import type { PolicyStatistics } from '../firewall/snapshot.ts';
import { METRIC_CLASSES_MAX, METRIC_LABEL_VALUES_MAX } from './limits.ts';
import { createMetrics, type MetricsInput } from './metrics.ts';

const PLACE = { zonePair: 'OUT-IN', className: 'MAIL' };
const POLICY: PolicyStatistics = {
  classes: [{ ...PLACE, packets: { smtp: 40 }, created: 7, open: 2, maxOpen: 3, creationRate: 1, maxCreationRate: 4 }],
  applications: [
    {
      ...{ ...PLACE, policy: 'AIC', applicationClass: 'spam', events: {} },
      ...{ hits: { count: 3, bytes: 90 }, shadow: { count: 4, bytes: 0 } },
    },
  ],
  uncounted: 0,
};

const input: MetricsInput = {
  statistics: {
    packets: {
      received: 100,
      accepted: 80,
      rewritten: 5,
      dropped: 12,
      held: 3,
      kernelDropped: 7,
      gateKernelDropped: 5,
      injected: 4,
    },
    protocolPackets: { tcp: 100, smtp: 60, pop3: 40 },
    sessions: {
      established: 3,
      halfOpen: 2,
      terminating: 1,
      created: 9,
      maxEstablished: 4,
      maxHalfOpen: 3,
      maxTerminating: 2,
      creationRate: 6,
      maxCreationRate: 8,
      setupsAborted: 4,
      setupRates: { oneMinute: 0.5, fiveMinutes: 0.25 },
      oneMinuteRate: 31,
    },
    reassembly: { outOfOrderPackets: 5, droppedPackets: 1, peakBytes: 900, currentBytes: 100, peakQueueLength: 3 },
    refusals: { 'early-talk': 2 },
    drops: { 'l4-tcp-stray-seg': 4, refused: 8 },
    masks: { EHLO: 3, '192.0.2.1': 4 },
    content: { octets: 1_000, scannedOctets: 900 },
    netlinkOverruns: 2,
    aggressive: true,
    blockedHosts: 2,
    synProxyHosts: ['203.0.113.25', '203.0.113.26', '203.0.113.27'],
    workers: [{ queue: 0, heartbeatAgeMs: 250, restarts: 1 }],
    startedSecondsAgo: 60,
  },
  sessions: [session('smtp', 'SIS_OPEN'), session('smtp', 'SIS_OPEN'), session('pop3', 'SIS_OPENING')],
  policy: POLICY,
  zonePackets: new Map([
    ['OUT-IN class-default drop', { packets: 9 }],
    ['OUT-IN MAIL inspect', { packets: 70 }],
  ]),
  fail: 'closed',
  reload: { succeeded: false, configurationReadAtSeconds: 1_700_000_000 },
  build: { version: '0.1.0', node: 'v20' },
};

function session(protocol: string, state: 'SIS_OPEN' | 'SIS_OPENING') {
  return {
    id: '00000001',
    protocol,
    state,
    stage: 'x',
    initiator: { address: '203.0.113.9', port: 1 },
    responder: { address: '2001:db8::1', port: 25 },
    bytes: { initiator: 0, responder: 0 },
    createdSecondsAgo: 0,
    lastHeardSecondsAgo: 0,
    offloaded: false,
    rule: 'MAIL',
  };
}

const metrics = createMetrics();
const linesOf = async (of: MetricsInput): Promise<string[]> => (await metrics.text(of)).split('\n');

describe('metrics', () => {
  test.each([
    'postern_packets_received_total 100',
    'postern_verdicts_total{verdict="accepted"} 80',
    'postern_verdicts_total{verdict="rewritten"} 5',
    'postern_verdicts_total{verdict="dropped"} 12',
    'postern_held_packets 3',
    'postern_queue_dropped_total 7',
    'postern_sessions{protocol="smtp",state="SIS_OPEN"} 2',
    'postern_sessions{protocol="pop3",state="SIS_OPENING"} 1',
    'postern_half_open 2',
    'postern_connections_active 3',
    'postern_connections_attempted_total 9',
    'postern_refusals_total{reason="early-talk"} 2',
    'postern_packets_dropped_total{reason="l4-tcp-stray-seg"} 4',
    'postern_masked_commands_total{verb="EHLO"} 3',
    'postern_masked_commands_total{verb="other"} 4',
    'postern_aggressive 1',
    'postern_connections_setup_aborted_total 4',
    'postern_connections_half_open 2',
    'postern_connection_setup_rate{window="1m"} 0.5',
    'postern_connection_setup_rate{window="5m"} 0.25',
    'postern_one_minute_rate 31',
    'postern_blocked_hosts 2',
    'postern_syn_proxy_hosts 3',
    'postern_gate_queue_dropped_total 5',
    'postern_worker_heartbeat_age_seconds{queue="0"} 0.25',
    'postern_worker_restarts_total{queue="0"} 1',
    'postern_fail_open 0',
    'postern_config_reload_success 0',
    'postern_build_info{version="0.1.0",node="v20"} 1',
    'postern_zone_sessions_total{zone_pair="OUT-IN",class="MAIL"} 7',
    'postern_zone_sessions{zone_pair="OUT-IN",class="MAIL"} 2',
    'postern_zone_packets_total{zone_pair="OUT-IN",class="class-default",action="drop"} 9',
    'postern_application_matches_total{zone_pair="OUT-IN",class="MAIL",policy="AIC",appl_class="spam"} 3',
    'postern_application_shadow_matches_total{zone_pair="OUT-IN",class="MAIL",policy="AIC",appl_class="spam"} 4',
    'postern_content_octets_total 1000',
    'postern_content_scanned_octets_total 900',
    '# TYPE postern_verdicts_total counter',
    '# TYPE postern_half_open gauge',
  ])('%s', async (line) => {
    expect(await linesOf(input)).toContain(line);
  });

  test('a second scrape says the same: nothing adds up twice', async () => {
    const own = (lines: string[]): string[] => lines.filter((line) => line.startsWith('postern_'));
    expect(own(await linesOf(input))).toEqual(own(await linesOf(input)));
  });

  test('no label carries an address', async () => {
    const text = (await metrics.text(input)).replace(/^# .*$/gm, '');
    expect(text).not.toMatch(/203\.0\.113|192\.0\.2|2001:db8/);
  });

  test('words from peers are bounded: the commonest by name, the rest together', async () => {
    const masks = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`V${index}`, 1000 - index]));
    masks['bad"} 1\nforged 1'] = 1;
    const lines = await linesOf({ ...input, statistics: { ...input.statistics, masks } });
    const masked = lines.filter((line) => line.startsWith('postern_masked_commands_total{'));
    expect(masked).toHaveLength(METRIC_LABEL_VALUES_MAX + 1);
    expect(masked[0]).toBe('postern_masked_commands_total{verb="V0"} 1000');
    const total = masked.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    expect(total).toBe(Object.values(masks).reduce((sum, value) => sum + value, 0));
    expect(lines.join('\n')).not.toContain('forged');
  });

  test('classes are bounded: the first by name, the rest together', async () => {
    const [one] = POLICY.classes;
    if (one === undefined) throw new Error('no class to copy');
    const classes = Array.from({ length: METRIC_CLASSES_MAX + 5 }, (_, index) => ({ ...one, className: `C${index}` }));
    const lines = await linesOf({ ...input, policy: { ...POLICY, classes } });
    const counted = lines.filter((line) => line.startsWith('postern_zone_sessions_total{'));
    expect(counted).toHaveLength(METRIC_CLASSES_MAX + 1);
    expect(counted.at(-1)).toBe('postern_zone_sessions_total{zone_pair="other",class="other"} 35');
  });

  test('packets that went to sessions are counted with those', async () => {
    expect((await linesOf(input)).filter((line) => line.startsWith('postern_zone_packets_total{'))).toHaveLength(1);
  });

  test('an engine that has seen nothing still gives valid text', async () => {
    const statistics = { ...input.statistics, refusals: {}, drops: {}, masks: {}, workers: [], protocolPackets: {} };
    const { policy: _policy, zonePackets: _packets, ...none } = input;
    const lines = await linesOf({ ...none, statistics, sessions: [] });
    expect(lines.filter((line) => line !== '' && !/^(# |[a-z_0-9]+(\{.*\})? [-+0-9.eNaInf]+$)/.test(line))).toEqual([]);
  });
});
