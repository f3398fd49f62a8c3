import type { HitCounts, SessionSnapshot } from '../firewall/snapshot.ts';
import type { PacketCount } from './exec-context.ts';
import { formatEndpoints } from './format-sessions.ts';
import { formatAge } from './format-time.ts';
import type {
  ApplicationClassView,
  ApplicationView,
  ClassSessionsView,
  ZoneClassView,
  ZonePairView,
} from './zone-policy-view.ts';

/** `show policy-map type inspect zone-pair [sessions]` (cisco-ios 5.8). */
export function zonePairLines(view: ZonePairView, withSessions: boolean): readonly string[] {
  return [
    `policy exists on zp ${view.zonePair}`,
    `  Zone-pair: ${view.zonePair}`,
    '',
    `  Service-policy inspect : ${view.policy}`,
    ...view.classes.flatMap((one) => ['', ...classLines(one, withSessions)]),
  ];
}

function classLines(view: ZoneClassView, withSessions: boolean): readonly string[] {
  return [
    `    Class-map: ${view.className} (${view.combine})`,
    ...view.matches.map((match) => `      Match: ${match}`),
    ...actionLines(view, withSessions),
  ];
}

function actionLines(view: ZoneClassView, withSessions: boolean): readonly string[] {
  const log = view.log ? ' log' : '';
  switch (view.action) {
    case 'pass':
      return [`      Pass${log}`, ...countedLines(view.counted)];
    case 'drop':
      return [`      Drop${log}`, ...countedLines(view.counted)];
    case 'default':
      return ['      Drop (default action)', ...countedLines(view.counted)];
    case 'inspect':
      return [
        '',
        ...(withSessions ? sessionBlock(view.sessions?.list ?? []) : statisticsBlock(view.sessions)),
        ...policeLines(view),
        ...(view.application === undefined ? [] : ['', ...applicationLines(view.application)]),
      ];
  }
}

function countedLines(counted: PacketCount | undefined): readonly string[] {
  return counted === undefined ? [] : [`        ${counted.packets} packets, ${counted.bytes} bytes`];
}

const TRANSPORTS: readonly string[] = ['udp', 'icmp'];

/** What Postern does not count by class (its reassembly) is left out, not guessed; half-open sessions are in none. */
function statisticsBlock(sessions: ClassSessionsView | undefined): readonly string[] {
  if (sessions === undefined) return ['   Inspect'];
  const last = sessions.lastCreatedSecondsAgo;
  const cleared = sessions.clearedSecondsAgo;
  const lines = [
    'Packet inspection statistics [process switch:fast switch]',
    ...packetLines(sessions.packets),
    '',
    `Session creations since subsystem startup or last reset ${sessions.created}`,
    'Current session counts (estab/half-open/terminating) ' +
      `[${sessions.established}:${sessions.halfOpen}:${sessions.terminating}]`,
    // How many were ending at one time is not counted.
    `Maxever session counts (estab/half-open/terminating) [${sessions.maxOpen}:-:-]`,
    `Last session created ${last === undefined ? 'never' : formatAge(last)}`,
    `Last statistic reset ${cleared === undefined ? 'never' : formatAge(cleared)}`,
    `Last session creation rate ${sessions.creationRate}`,
    `Maxever session creation rate ${sessions.maxCreationRate}`,
  ];
  return ['   Inspect', ...lines.map((line) => (line === '' ? '' : `        ${line}`))];
}

/** The transport, then the application, as IOS counts a packet under both. All take the way of process switching. */
function packetLines(packets: ClassSessionsView['packets']): readonly string[] {
  const names = Object.keys(packets);
  const overTcp = names.filter((name) => !TRANSPORTS.includes(name));
  const tcp = overTcp.reduce((sum, name) => sum + (packets[name] ?? 0), 0);
  const applications = overTcp.filter((name) => name !== 'tcp').sort();
  return [
    ...(overTcp.length === 0 ? [] : [`tcp packets: [${tcp}:0]`]),
    ...[...TRANSPORTS.filter((name) => names.includes(name)), ...applications].map(
      (name) => `${name} packets: [${packets[name] ?? 0}:0]`,
    ),
  ];
}

function policeLines({ police, counted }: ZoneClassView): readonly string[] {
  if (police === undefined) return [];
  return [
    '      Police',
    `        rate ${police.rateBits} bps,${police.burstBytes} limit`,
    ...(counted === undefined
      ? []
      : [`        exceeded ${counted.packets} packets, ${counted.bytes} bytes; actions: drop`]),
  ];
}

/** The application policy below its class, two columns further in than the policy itself (D-61). */
function applicationLines(view: ApplicationView): readonly string[] {
  return [
    `      Service-policy inspect ${view.protocol} : ${view.policy}`,
    ...view.classes.flatMap((one) => ['', ...applicationClassLines(one)]),
  ];
}

function applicationClassLines(view: ApplicationClassView): readonly string[] {
  const shadows = view.actions.includes('shadow');
  return [
    `        Class-map: ${view.className} (${view.combine})`,
    ...view.matches.flatMap(({ match, hits }) => [
      `          Match: ${match}`,
      ...(hits === undefined ? [] : [`            ${hitWords(hits)}`]),
    ]),
    `          ${hitWords(view.hits)}`,
    ...(shadows || view.shadow.count > 0 ? [`          Would have been: ${hitWords(view.shadow)}`] : []),
    ...view.actions.map((action) => `          ${capital(action)}`),
  ];
}

function hitWords({ count, bytes }: HitCounts): string {
  return `${count} packets, ${bytes} bytes`;
}

export function capital(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

const SECTIONS: readonly { readonly title: string; readonly states: readonly SessionSnapshot['state'][] }[] = [
  { title: 'Half-open Sessions', states: ['SIS_OPENING'] },
  { title: 'Established Sessions', states: ['SIS_OPEN'] },
  { title: 'Terminating Sessions', states: ['SIS_CLOSING', 'SIS_CLOSED'] },
];

/** The sessions of a class as the captures have them; a section without sessions has no heading. */
export function sessionBlock(sessions: readonly SessionSnapshot[]): readonly string[] {
  const sections = SECTIONS.flatMap(({ title, states }) => {
    const listed = sessions.filter(({ state }) => states.includes(state));
    return listed.length === 0 ? [] : [`        ${title}`, ...listed.flatMap(sessionLines)];
  });
  return ['      Inspect', ...(sections.length === 0 ? [] : ['', ...sections])];
}

function sessionLines(session: SessionSnapshot): readonly string[] {
  const { id, protocol, state, bytes } = session;
  const [created, heard] = [session.createdSecondsAgo, session.lastHeardSecondsAgo].map(shortAge);
  return [
    `         Session ID 0x${id} ${formatEndpoints(session)} ${protocol} ${state}`,
    `          Created ${created}, Last heard ${heard}`,
    `          Bytes sent (initiator:responder) [${bytes.initiator}:${bytes.responder}]`,
  ];
}

/** Bare `00` under a second. */
function shortAge(seconds: number): string {
  return seconds < 1 ? '00' : formatAge(seconds);
}
