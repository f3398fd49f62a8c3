import type { PolicyStatistics, SessionSnapshot, Statistics } from '../firewall/snapshot.ts';
import { zoneMatchKey } from '../policy/zone-labels.ts';
import type { ExecContext, PacketCount } from './exec-context.ts';
import { parseConfiguration } from './parse-configuration.ts';

/** Zones with a mail policy that has application classes, one that polices, and a pair without a policy. */
export const MAIL = String.raw`
access-list 101 permit tcp any host 192.0.2.25 eq smtp
zone security outside
 description The world
zone security dmz
zone security inside
parameter-map type regex bad-guys
 pattern "*deals\.com"
 pattern "(spam|junk)@example\.com"
parameter-map type inspect PARAM
 audit-trail on
 tcp idle-time 80
 tcp idle reset off
 max-incomplete low 300 high 400
class-map type inspect smtp match-any c1
 match recipient count gt 25
 match sender address regex bad-guys
class-map type inspect smtp match-any hide
 match cmd verb ETRN
 match cmd verb ATRN
class-map type inspect smtp match-all big
 match cmd line length gt 256
 match cmd verb MAIL
policy-map type inspect smtp P1
 class type inspect smtp c1
  log
  reset
 class type inspect smtp hide
  mask
 class type inspect smtp big
  reset
  shadow
class-map type inspect match-all MAIL-IN
 description Mail for us
 match protocol smtp
 match access-group 101
class-map type inspect match-all ICMP
 match protocol icmp
policy-map type inspect MAIL-POLICY
 class type inspect MAIL-IN
  inspect PARAM
  service-policy smtp P1
 class type inspect ICMP
  pass
 class class-default
  drop log
policy-map type inspect POLICED
 description Slowly
 class type inspect MAIL-IN
  inspect
  police rate 8000 burst 1000
interface eth0
 zone-member security outside
interface eth1
 zone-member security dmz
interface eth2
 zone-member security dmz
zone-pair security OUT-TO-DMZ source outside destination dmz
 service-policy type inspect MAIL-POLICY
zone-pair security BACK source dmz destination outside
zone-pair security TO-US source outside destination inside
 service-policy type inspect POLICED
`;

export interface Known {
  readonly statistics: PolicyStatistics;
  readonly sessions: readonly SessionSnapshot[];
  readonly matches: ReadonlyMap<string, PacketCount>;
}

function session(id: string, state: SessionSnapshot['state'], more: Partial<SessionSnapshot> = {}): SessionSnapshot {
  return {
    id,
    protocol: 'smtp',
    state,
    stage: 'mail',
    initiator: { address: '198.51.100.7', port: 38012 },
    responder: { address: '192.0.2.25', port: 25 },
    bytes: { initiator: 21, responder: 31 },
    packets: 6,
    createdSecondsAgo: 108,
    lastHeardSecondsAgo: 0.4,
    offloaded: false,
    rule: '',
    zonePair: 'OUT-TO-DMZ',
    className: 'MAIL-IN',
    ...more,
  };
}

const SESSIONS: readonly SessionSnapshot[] = [
  session('00000001', 'SIS_OPEN'),
  session('00000603', 'SIS_OPEN', { initiator: { address: '2001:db8::1', port: 128 } }),
  session('00000604', 'SIS_CLOSING', { packets: 4 }),
  session('00000700', 'SIS_OPEN', { zonePair: 'TO-US' }),
  session('80000001', 'SIS_OPENING', { zonePair: undefined as never, className: undefined as never }),
];

const COUNTS: PolicyStatistics = {
  classes: [
    {
      zonePair: 'OUT-TO-DMZ',
      className: 'MAIL-IN',
      packets: { smtp: 980 },
      created: 116,
      open: 3,
      maxOpen: 53,
      lastCreatedSecondsAgo: 61,
      creationRate: 115,
      maxCreationRate: 120,
    },
  ],
  applications: [
    {
      zonePair: 'OUT-TO-DMZ',
      className: 'MAIL-IN',
      policy: 'P1',
      applicationClass: 'c1',
      hits: { count: 5, bytes: 170 },
      shadow: { count: 0, bytes: 0 },
      events: { RECIPIENT_COUNT: { count: 1, bytes: 30 }, SENDER_ADDR_MATCHED: { count: 4, bytes: 140 } },
    },
    {
      zonePair: 'OUT-TO-DMZ',
      className: 'MAIL-IN',
      policy: 'P1',
      applicationClass: 'big',
      hits: { count: 0, bytes: 0 },
      shadow: { count: 2, bytes: 640 },
      events: { CMD_LINE_LENGTH: { count: 2, bytes: 640 } },
    },
  ],
  uncounted: 0,
};

const MATCHES: ReadonlyMap<string, PacketCount> = new Map([
  [zoneMatchKey('OUT-TO-DMZ', 'ICMP', 'pass'), { packets: 7, bytes: 588 }],
  [zoneMatchKey('OUT-TO-DMZ', 'class-default', 'drop'), { packets: 3, bytes: 180 }],
  [zoneMatchKey('TO-US', 'MAIL-IN', 'police'), { packets: 2, bytes: 3_000 }],
  [zoneMatchKey('-', 'no-zone-pair', 'drop'), { packets: 11, bytes: 660 }],
]);

/** What is known of a firewall that just began, and of one that was busy. */
export const NOTHING: Known = {
  statistics: { classes: [], applications: [], uncounted: 0 },
  sessions: [],
  matches: new Map<string, PacketCount>(),
};
export const BUSY: Known = { statistics: COUNTS, sessions: SESSIONS, matches: MATCHES };

/** A context that answers `known`, and what it was asked to clear. Throws when the text is no configuration. */
export function zoneContext(text: string, known: Known) {
  const asked: string[] = [];
  const { configuration, errors } = parseConfiguration(text, 'file');
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  const box = {
    aggressive: true,
    sessions: { halfOpen: 12 },
    refusals: { 'half-open-evicted': 4 },
    content: { octets: 1_000, scannedOctets: 875 },
  };
  const value: ExecContext = {
    ...{ configuration, configurationFile: 'f', version: '9' },
    startupText: async () => '',
    sessions: async () => known.sessions,
    unlistedHalfOpen: () => 0,
    blockedHosts: () => [],
    unblock: () => 0,
    statistics: async () => box as unknown as Statistics,
    policyStatistics: async () => known.statistics,
    zoneMatches: async () => known.matches,
    clearPolicyStatistics: async (pair) => void asked.push(`counter ${pair}`),
    clearZoneSessions: async (pair) => asked.push(`sessions ${pair}`),
    endDebug: () => 0,
    clearSessions: async () => 0,
    clearStatistics: async () => undefined,
    reload: async () => [],
    save: async () => [],
  };
  return { value, asked };
}
