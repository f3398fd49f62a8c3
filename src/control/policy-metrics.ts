import { METRIC_CLASSES_MAX } from './limits.ts';
import type { Family, MetricsInput, Sample } from './metrics.ts';

const NONE = { classes: [], applications: [], uncounted: 0 } as const;
/** What the kernel decided for good: packets of `inspect` are those of the sessions, which are counted as such. */
const DECIDED: readonly string[] = ['pass', 'drop', 'police'];

/** Zone policies and their application classes. Labels are names of the configuration, up to a number of classes. */
export const POLICY_FAMILIES: readonly Family[] = [
  {
    name: 'postern_zone_sessions_total',
    type: 'counter',
    help: 'Sessions begun by zone-pair and class',
    samples: ({ policy = NONE }) =>
      bounded(policy.classes.map(({ created, ...place }) => ({ labels: placeLabels(place), value: created }))),
  },
  {
    name: 'postern_zone_sessions',
    type: 'gauge',
    help: 'Sessions of now by zone-pair and class',
    samples: ({ policy = NONE }) =>
      bounded(policy.classes.map(({ open, ...place }) => ({ labels: placeLabels(place), value: open }))),
  },
  {
    name: 'postern_zone_packets_total',
    type: 'counter',
    help: 'Packets that zone policies passed, dropped, or dropped because of their rate',
    samples: (input) => bounded(packetSamples(input)),
  },
  {
    name: 'postern_application_matches_total',
    type: 'counter',
    help: 'Matches of classes of application policies',
    samples: ({ policy = NONE }) =>
      bounded(policy.applications.map((one) => ({ labels: applicationLabels(one), value: one.hits.count }))),
  },
  {
    name: 'postern_application_shadow_matches_total',
    type: 'counter',
    help: 'Matches of classes with shadow: what would have been done and was not',
    samples: ({ policy = NONE }) =>
      bounded(policy.applications.map((one) => ({ labels: applicationLabels(one), value: one.shadow.count }))),
  },
  {
    name: 'postern_content_octets_total',
    type: 'counter',
    help: 'Octets of mail data that passed under an application policy with content conditions',
    samples: ({ statistics }) => [{ labels: {}, value: statistics.content.octets }],
  },
  {
    name: 'postern_content_scanned_octets_total',
    type: 'counter',
    help: 'Of these, the octets that were searched',
    samples: ({ statistics }) => [{ labels: {}, value: statistics.content.scannedOctets }],
  },
];

interface Place {
  readonly zonePair: string;
  readonly className: string;
}

function placeLabels({ zonePair, className }: Place): Sample['labels'] {
  return { zone_pair: zonePair, class: className };
}

function applicationLabels(one: Place & { readonly policy: string; readonly applicationClass: string }) {
  return { ...placeLabels(one), policy: one.policy, appl_class: one.applicationClass };
}

/** Keys are `PAIR CLASS ACTION` (src/policy/zone-labels.ts). */
function packetSamples({ zonePackets = new Map() }: MetricsInput): readonly Sample[] {
  return [...zonePackets].flatMap(([key, { packets }]) => {
    const [zonePair = '', className = '', action = ''] = key.split(' ');
    if (!DECIDED.includes(action)) return [];
    return [{ labels: { ...placeLabels({ zonePair, className }), action }, value: packets }];
  });
}

/** The first so many by name, what is beyond them together as `other`. */
function bounded(samples: readonly Sample[]): readonly Sample[] {
  const rest = samples.slice(METRIC_CLASSES_MAX);
  const [first] = rest;
  if (first === undefined) return samples;
  const labels = Object.fromEntries(Object.keys(first.labels).map((name) => [name, 'other']));
  const value = rest.reduce((sum, sample) => sum + sample.value, 0);
  return [...samples.slice(0, METRIC_CLASSES_MAX), { labels, value }];
}
