import type { Endpoint } from '../firewall/snapshot.ts';
import type { JudgedEvent } from './judge.ts';

/**
 * One event for `debug`: `CBAC <kind>: sis <id> <protocol> (<initiator>) => (<responder>) <what> [<verdict>
 * [<reason>]]`. No text of the stream, so no secret.
 */
export function debugLine({ kind, what, session, outcome }: JudgedEvent): string {
  const who =
    session === undefined
      ? 'no session'
      : `sis ${session.id} ${session.protocol} (${placeOf(session.initiator)}) => (${placeOf(session.responder)})`;
  const verdict = outcome === undefined ? [] : [outcome.verdict];
  const reason = outcome?.reason === undefined ? [] : [outcome.reason];
  return [`CBAC ${kind}:`, who, what, ...verdict, ...reason].join(' ');
}

function placeOf({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
