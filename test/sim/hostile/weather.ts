import type { Random } from '../random.ts';

/** What the network does, in percent of the segments. */
export interface Weather {
  readonly loss: number;
  readonly duplicate: number;
  readonly delayMsMax: number;
  /** Octets that came, again with other values. */
  readonly altered: number;
  /** The same, and gone before they reach the peer. */
  readonly shortLived: number;
  /** One octet that came, as stacks ask whether somebody is there (RFC 1122 4.2.3.6). */
  readonly keepalive: number;
  /** Resets that are in the window and not exact (RFC 5961 3.2). */
  readonly blindReset: number;
  /** Resets that are nowhere near. */
  readonly farReset: number;
  /** New octets, with a timestamp long gone (RFC 7323 5.3). */
  readonly oldStamp: number;
  readonly urgent: number;
  /** IPv6: the segment comes behind a Destination Options header. */
  readonly padded: number;
  /** Octets behind a FIN. */
  readonly behindFin: number;
  /** Other octets before those that the peer sends: what came first counts. */
  readonly ahead: number;
  /** The same, and gone before they reach the peer. */
  readonly aheadShortLived: number;
  /** A reset that is exact. */
  readonly reset: number;
}

export type Chance = Exclude<keyof Weather, 'delayMsMax'>;

export const FAIR: Weather = {
  ...{ loss: 0, duplicate: 0, delayMsMax: 0, altered: 0, shortLived: 0, keepalive: 0, blindReset: 0, farReset: 0 },
  ...{ oldStamp: 0, urgent: 0, padded: 0, behindFin: 0, ahead: 0, aheadShortLived: 0, reset: 0 },
};

export function weatherOf(random: Random): Weather {
  return {
    loss: random.pick([0, 0, 5, 20]),
    duplicate: random.pick([0, 10, 30]),
    delayMsMax: random.pick([0, 20, 80]),
    altered: random.pick([0, 10, 40]),
    shortLived: random.pick([0, 0, 10]),
    keepalive: random.pick([0, 0, 10]),
    blindReset: random.pick([0, 0, 5]),
    farReset: random.pick([0, 0, 5]),
    oldStamp: random.pick([0, 10]),
    urgent: random.pick([0, 0, 10]),
    padded: random.pick([0, 0, 20]),
    behindFin: random.pick([0, 50]),
    ahead: random.pick([0, 0, 0, 0, 0, 0, 10]),
    aheadShortLived: random.pick([0, 0, 0, 0, 0, 0, 10]),
    reset: random.pick([0, 0, 0, 0, 0, 1]),
  };
}

/** Whether both runs of a script carry the same octets, and nobody but the firewall ends one. */
export const isComparable = ({ ahead, aheadShortLived, reset }: Weather): boolean =>
  ahead === 0 && aheadShortLived === 0 && reset === 0;
