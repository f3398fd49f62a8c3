import type { Endpoint, SessionSnapshot, SessionState } from '../firewall/snapshot.ts';
import { formatAge } from './format-time.ts';

const SECTIONS: readonly { readonly title: string; readonly states: readonly SessionState[] }[] = [
  { title: 'Established Sessions', states: ['SIS_OPEN'] },
  { title: 'Half-open Sessions', states: ['SIS_OPENING'] },
  { title: 'Terminating Sessions', states: ['SIS_CLOSING', 'SIS_CLOSED'] },
];

/**
 * `show ip inspect sessions [detail]` (cisco-ios 5.4, 5.5); a section without sessions has no heading. Of a flood's
 * half-open sessions the first are listed, the `unlisted` rest is counted.
 */
export function sessionsLines(
  sessions: readonly SessionSnapshot[],
  detail: boolean,
  unlisted: number,
): readonly string[] {
  return SECTIONS.flatMap(({ title, states }) => {
    const listed = sessions.filter((session) => states.includes(session.state));
    const more = states.includes('SIS_OPENING') && unlisted > 0 ? [` and ${unlisted} more, not listed`] : [];
    if (listed.length + more.length === 0) return [];
    return [title, ...listed.flatMap((session) => sessionLines(session, detail)), ...more];
  });
}

function sessionLines(session: SessionSnapshot, detail: boolean): readonly string[] {
  const { id, protocol, state, bytes } = session;
  const head = ` Session ${id} ${formatEndpoints(session)} ${protocol} ${state}`;
  if (!detail) return [head];
  return [
    head,
    `  Created ${formatAge(session.createdSecondsAgo)}, Last heard ${formatAge(session.lastHeardSecondsAgo)}`,
    `  Bytes sent (initiator:responder) [${bytes.initiator}:${bytes.responder}]`,
    ...openingLine(session),
    ...tlsLine(session),
    `  ${remarks(session).join(', ')}`,
  ];
}

/** The permit that a session is for its answers, where a list filters them (the ACL bypass line of cisco-ios 5.5). */
function openingLine({ opening, initiator, responder }: SessionSnapshot): readonly string[] {
  if (opening === undefined) return [];
  const end = ({ address, port }: Endpoint): string => `${address}[${port}:${port}]`;
  const matches = `${opening.matches} ${opening.matches === 1 ? 'match' : 'matches'}`;
  return [`  In  SID ${end(responder)}=>${end(initiator)} on ACL ${opening.list}  (${matches})`];
}

/** What the hellos say, ours. */
function tlsLine({ tls }: SessionSnapshot): readonly string[] {
  if (tls === undefined) return [];
  const { version, serverName = '-', alpn, ja4 } = tls;
  return [`  TLS ${version}, server name ${serverName}, ALPN ${alpn.join(',') || '-'}, JA4 ${ja4}`];
}

/** What IOS does not say: how far the session has come, and by which way its packets go. */
function remarks(session: SessionSnapshot): readonly string[] {
  const { stage, rule, zonePair, className, offloaded, midstream, altered } = session;
  return [
    `Stage ${stage}`,
    ...(rule === '' ? [] : [`inspection rule ${rule}`]),
    ...(zonePair === undefined ? [] : [`zone-pair ${zonePair} class ${className ?? '-'}`]),
    ...(offloaded ? ['offloaded'] : []),
    ...(midstream === true ? ['picked up under way'] : []),
    ...(altered === undefined ? [] : [`segments altered ${altered}`]),
  ];
}

export function formatEndpoints({ initiator, responder }: SessionSnapshot): string {
  return `${formatEndpoint(initiator)}=>${formatEndpoint(responder)}`;
}

/** IOS puts IPv4 endpoints into parentheses and IPv6 addresses into brackets (cisco-ios 5.8). */
function formatEndpoint({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `(${address}:${port})`;
}
