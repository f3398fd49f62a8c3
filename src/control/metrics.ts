import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { PolicyStatistics, SessionSnapshot, Statistics } from '../firewall/snapshot.ts';
import { METRIC_LABEL_VALUES_MAX } from './limits.ts';
import { POLICY_FAMILIES } from './policy-metrics.ts';

/** What the metrics are made from, taken at the moment of a scrape. */
export interface MetricsInput {
  readonly statistics: Statistics;
  readonly sessions: readonly SessionSnapshot[];
  /** Of the classes of zone policies; absent where there are none. */
  readonly policy?: PolicyStatistics;
  /** Packets that the kernel's rules decided by zone policies, by `zoneMatchKey` (src/policy/zone-labels.ts). */
  readonly zonePackets?: ReadonlyMap<string, { readonly packets: number }>;
  readonly fail: 'closed' | 'open';
  readonly reload: {
    /** Whether the last one took effect; true before the first. */
    readonly succeeded: boolean;
    /** When the configuration in force was read, seconds since 1970. */
    readonly configurationReadAtSeconds: number;
  };
  readonly build: { readonly version: string; readonly node: string };
}

export interface Metrics {
  /** Prometheus text exposition format 0.0.4. */
  text(input: MetricsInput): Promise<string>;
}

/** The metrics of the process and of the engine. Labels are closed sets; none ever carries an address. */
export function createMetrics(): Metrics {
  const processRegistry = new Registry();
  collectDefaultMetrics({ register: processRegistry });
  return {
    async text(input) {
      return (await processRegistry.metrics()) + (await engineRegistry(input).metrics());
    },
  };
}

/** The engine counts for itself, so every scrape is a fresh copy of what it says. */
function engineRegistry(input: MetricsInput): Registry {
  const registry = new Registry();
  for (const family of [...FAMILIES, ...POLICY_FAMILIES]) {
    const samples = family.samples(input);
    const options = {
      name: family.name,
      help: family.help,
      labelNames: Object.keys(samples[0]?.labels ?? {}),
      registers: [registry],
    };
    if (family.type === 'counter') {
      const counter = new Counter(options);
      for (const sample of samples) counter.inc({ ...sample.labels }, sample.value);
    } else {
      const gauge = new Gauge(options);
      for (const sample of samples) gauge.set({ ...sample.labels }, sample.value);
    }
  }
  return registry;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: (input: MetricsInput) => readonly Sample[];
}

const plain = (pick: (statistics: Statistics) => number) => (input: MetricsInput) => [
  { labels: {}, value: pick(input.statistics) },
];

const FAMILIES: readonly Family[] = [
  {
    name: 'postern_packets_received_total',
    type: 'counter',
    help: 'Packets that came from the queues; the verdicts, the held and the lost ones add up to it',
    samples: plain(({ packets }) => packets.received),
  },
  {
    name: 'postern_verdicts_total',
    type: 'counter',
    help: 'Packets by verdict',
    samples: ({ statistics: { packets } }) => [
      { labels: { verdict: 'accepted' }, value: packets.accepted },
      { labels: { verdict: 'rewritten' }, value: packets.rewritten },
      { labels: { verdict: 'dropped' }, value: packets.dropped },
    ],
  },
  {
    name: 'postern_held_packets',
    type: 'gauge',
    help: 'Packets in hand, waiting for their verdict',
    samples: plain(({ packets }) => packets.held),
  },
  {
    name: 'postern_queue_dropped_total',
    type: 'counter',
    help: 'Packets lost in the kernel: full queue and full socket together',
    samples: plain(({ packets }) => packets.kernelDropped),
  },
  {
    name: 'postern_gate_queue_dropped_total',
    type: 'counter',
    help: 'Of these, the ones lost in the queue of the first packets: what else was lost belonged to sessions',
    samples: plain(({ packets }) => packets.gateKernelDropped),
  },
  {
    name: 'postern_packets_injected_total',
    type: 'counter',
    help: 'Packets that Postern built: words of refusals, acknowledgements, resets',
    samples: plain(({ packets }) => packets.injected),
  },
  {
    name: 'postern_netlink_overruns_total',
    type: 'counter',
    help: 'Times the socket of a queue overflowed (ENOBUFS)',
    samples: plain((statistics) => statistics.netlinkOverruns),
  },
  {
    name: 'postern_protocol_packets_total',
    type: 'counter',
    help: 'Packets by protocol; tcp counts them all',
    samples: ({ statistics }) => labelled('protocol', statistics.protocolPackets),
  },
  {
    name: 'postern_sessions',
    type: 'gauge',
    help: 'Sessions by protocol and state',
    samples: ({ sessions }) => countSessions(sessions),
  },
  {
    name: 'postern_half_open',
    type: 'gauge',
    help: 'Sessions whose handshake is not complete',
    samples: plain(({ sessions }) => sessions.halfOpen),
  },
  {
    name: 'postern_connections_active',
    type: 'gauge',
    help: 'Established sessions',
    samples: plain(({ sessions }) => sessions.established),
  },
  {
    name: 'postern_connections_terminating',
    type: 'gauge',
    help: 'Sessions whose closing handshake is under way',
    samples: plain(({ sessions }) => sessions.terminating),
  },
  {
    name: 'postern_connections_attempted_total',
    type: 'counter',
    help: 'Sessions begun',
    samples: plain(({ sessions }) => sessions.created),
  },
  {
    name: 'postern_connections_setup_aborted_total',
    type: 'counter',
    help: 'Sessions begun and never established: given up for newer ones, timed out, refused by the server, cleared',
    samples: plain(({ sessions }) => sessions.setupsAborted),
  },
  {
    name: 'postern_connections_half_open',
    type: 'gauge',
    help: 'Sessions whose handshake is not complete, as postern_half_open',
    samples: plain(({ sessions }) => sessions.halfOpen),
  },
  {
    name: 'postern_connection_setup_rate',
    type: 'gauge',
    help: 'Sessions begun a second, over the last minute and the last five',
    samples: ({ statistics: { sessions } }) => [
      { labels: { window: '1m' }, value: sessions.setupRates.oneMinute },
      { labels: { window: '5m' }, value: sessions.setupRates.fiveMinutes },
    ],
  },
  {
    name: 'postern_one_minute_rate',
    type: 'gauge',
    help: 'The decaying estimate of sessions begun a minute that ip inspect one-minute is compared with',
    samples: plain(({ sessions }) => sessions.oneMinuteRate),
  },
  {
    name: 'postern_blocked_hosts',
    type: 'gauge',
    help: 'Servers whose new connections are dropped (tcp max-incomplete host, block-time)',
    samples: plain((statistics) => statistics.blockedHosts),
  },
  {
    name: 'postern_syn_proxy_hosts',
    type: 'gauge',
    help: 'Servers that the kernel answers for at the moment (postern syn-proxy)',
    samples: plain((statistics) => statistics.synProxyHosts.length),
  },
  {
    name: 'postern_connection_setups_last_minute',
    type: 'gauge',
    help: 'Sessions begun in the last full minute',
    samples: plain(({ sessions }) => sessions.creationRate),
  },
  {
    name: 'postern_aggressive',
    type: 'gauge',
    help: '1 while the thresholds of half-open sessions are passed',
    samples: plain((statistics) => Number(statistics.aggressive)),
  },
  {
    name: 'postern_refusals_total',
    type: 'counter',
    help: 'Sessions refused and packets dropped, by reason',
    samples: ({ statistics }) => labelled('reason', statistics.refusals),
  },
  {
    name: 'postern_packets_dropped_total',
    type: 'counter',
    help: "Packets dropped, each once, by IOS XE's names for the reasons",
    samples: ({ statistics }) => labelled('reason', statistics.drops),
  },
  {
    name: 'postern_masked_commands_total',
    type: 'counter',
    help: 'Words that were overwritten; the rarer ones together as other',
    samples: ({ statistics }) => labelled('verb', statistics.masks),
  },
  {
    name: 'postern_reassembly_out_of_order_packets_total',
    type: 'counter',
    help: 'Segments that came before their turn',
    samples: plain(({ reassembly }) => reassembly.outOfOrderPackets),
  },
  {
    name: 'postern_reassembly_dropped_packets_total',
    type: 'counter',
    help: 'Segments out of order for which there was no room',
    samples: plain(({ reassembly }) => reassembly.droppedPackets),
  },
  {
    name: 'postern_reassembly_bytes',
    type: 'gauge',
    help: 'Memory that segments out of order take now',
    samples: plain(({ reassembly }) => reassembly.currentBytes),
  },
  {
    name: 'postern_worker_heartbeat_age_seconds',
    type: 'gauge',
    help: 'Time since a worker gave its last sign of life',
    samples: ({ statistics }) => byQueue(statistics, (worker) => worker.heartbeatAgeMs / 1000),
  },
  {
    name: 'postern_worker_restarts_total',
    type: 'counter',
    help: 'Times the worker of a queue was replaced',
    samples: ({ statistics }) => byQueue(statistics, (worker) => worker.restarts),
  },
  {
    name: 'postern_uptime_seconds',
    type: 'gauge',
    help: 'Time since the start',
    samples: plain((statistics) => statistics.startedSecondsAgo),
  },
  {
    name: 'postern_fail_open',
    type: 'gauge',
    help: '1 when packets pass unjudged while no worker answers (postern fail open)',
    samples: ({ fail }) => [{ labels: {}, value: Number(fail === 'open') }],
  },
  {
    name: 'postern_config_reload_success',
    type: 'gauge',
    help: '0 after a reload that was rejected: the file and the policy in force differ',
    samples: ({ reload }) => [{ labels: {}, value: Number(reload.succeeded) }],
  },
  {
    name: 'postern_config_read_timestamp_seconds',
    type: 'gauge',
    help: 'When the configuration in force was read',
    samples: ({ reload }) => [{ labels: {}, value: reload.configurationReadAtSeconds }],
  },
  {
    name: 'postern_build_info',
    type: 'gauge',
    help: 'Always 1',
    samples: ({ build }) => [{ labels: { version: build.version, node: build.node }, value: 1 }],
  },
];

function byQueue(statistics: Statistics, pick: (worker: Statistics['workers'][number]) => number): readonly Sample[] {
  return statistics.workers.map((worker) => ({ labels: { queue: String(worker.queue) }, value: pick(worker) }));
}

function countSessions(sessions: readonly SessionSnapshot[]): readonly Sample[] {
  const samples = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const { protocol, state } of sessions) {
    const key = `${protocol} ${state}`;
    const sample = samples.get(key) ?? { labels: { protocol, state }, value: 0 };
    samples.set(key, { ...sample, value: sample.value + 1 });
  }
  return [...samples.values()];
}

/**
 * Words of one label. They may come from peers: odd ones and those beyond the limit, rarest first, are counted
 * together.
 */
function labelled(label: string, counts: Readonly<Record<string, number>>): readonly Sample[] {
  const samples: Sample[] = [];
  let other = 0;
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  for (const [word, value] of sorted) {
    if (samples.length < METRIC_LABEL_VALUES_MAX && /^[A-Za-z][A-Za-z0-9_-]{0,39}$/.test(word) && word !== 'other') {
      samples.push({ labels: { [label]: word }, value });
    } else other += value;
  }
  return other === 0 ? samples : [...samples, { labels: { [label]: 'other' }, value: other }];
}
