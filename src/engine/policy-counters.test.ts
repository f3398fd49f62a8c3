import { describe, expect, test } from 'vitest';
import type { PolicyHit } from '../inspect/policy-hit.ts';
import { APPLICATION_CLASSES_COUNTED_MAX, ZONE_CLASSES_COUNTED_MAX } from '../limits.ts';
import { combinePolicyStatistics, NO_POLICY_STATISTICS, PolicyCounters } from './policy-counters.ts';

const PLACE = { zonePair: 'OUT-TO-DMZ', className: 'MAIL-IN' };
const OTHER = { zonePair: 'OUT-TO-DMZ', className: 'POP' };
const MINUTE_MS = 60_000;

function hit(more: Partial<PolicyHit> = {}): PolicyHit {
  return {
    policy: 'P1',
    class: 'c1',
    event: 'CMD_VERB',
    detail: 'ETRN',
    verb: 'masking',
    log: true,
    shadow: false,
    bytes: 10,
    ...more,
  };
}

describe('sessions of a class', () => {
  test('nothing is counted before something happens', () => {
    expect(new PolicyCounters().toRecord(0)).toEqual(NO_POLICY_STATISTICS);
  });

  test('created, open, and the most there were', () => {
    const counters = new PolicyCounters();
    counters.opened(PLACE, 1_000);
    counters.opened(PLACE, 2_000);
    counters.closed(PLACE, 'smtp', 10);
    counters.opened(OTHER, 3_500);
    const { classes } = counters.toRecord(5_000);
    expect(classes).toEqual([
      {
        ...PLACE,
        packets: { smtp: 10 },
        created: 2,
        open: 1,
        maxOpen: 2,
        lastCreatedSecondsAgo: 3,
        creationRate: 0,
        maxCreationRate: 2,
      },
      {
        ...OTHER,
        packets: {},
        created: 1,
        open: 1,
        maxOpen: 1,
        lastCreatedSecondsAgo: 1,
        creationRate: 0,
        maxCreationRate: 1,
      },
    ]);
  });

  test('an end too many does not go below none', () => {
    const counters = new PolicyCounters();
    counters.opened(PLACE, 0);
    counters.closed(PLACE, 'smtp', 10);
    counters.closed(PLACE, 'smtp', 10);
    counters.closed(OTHER, 'pop3', 10);
    expect(counters.toRecord(0).classes).toMatchObject([{ open: 0, maxOpen: 1 }]);
  });

  test('the rate is that of the last full minute, and forgotten after a quiet one', () => {
    const counters = new PolicyCounters();
    for (let session = 0; session < 5; session += 1) counters.opened(PLACE, session);
    counters.opened(PLACE, MINUTE_MS + 1);
    expect(counters.toRecord(MINUTE_MS + 2).classes).toMatchObject([{ creationRate: 5, maxCreationRate: 5 }]);
    expect(counters.toRecord(2 * MINUTE_MS).classes).toMatchObject([{ creationRate: 1, maxCreationRate: 5 }]);
    expect(counters.toRecord(9 * MINUTE_MS).classes).toMatchObject([{ creationRate: 0, maxCreationRate: 5 }]);
  });
});

describe('hits of an application class', () => {
  test('shadow hits are counted apart, and each by what matched', () => {
    const counters = new PolicyCounters();
    counters.add(PLACE, hit());
    counters.add(PLACE, hit({ event: 'EHLO_REPLY', bytes: 8 }));
    counters.add(PLACE, hit({ shadow: true, bytes: 4 }));
    counters.add(PLACE, hit({ class: 'c2', bytes: 0 }));
    expect(counters.toRecord(0).applications).toEqual([
      {
        ...PLACE,
        policy: 'P1',
        applicationClass: 'c1',
        hits: { count: 2, bytes: 18 },
        shadow: { count: 1, bytes: 4 },
        events: { CMD_VERB: { count: 2, bytes: 14 }, EHLO_REPLY: { count: 1, bytes: 8 } },
      },
      {
        ...PLACE,
        policy: 'P1',
        applicationClass: 'c2',
        hits: { count: 1, bytes: 0 },
        shadow: { count: 0, bytes: 0 },
        events: { CMD_VERB: { count: 1, bytes: 0 } },
      },
    ]);
  });
});

describe('bounds', () => {
  test('classes beyond the limit are counted together', () => {
    const counters = new PolicyCounters();
    for (let index = 0; index < ZONE_CLASSES_COUNTED_MAX + 3; index += 1) {
      counters.opened({ zonePair: 'Z', className: `C${index}` }, 0);
    }
    for (let index = 0; index < APPLICATION_CLASSES_COUNTED_MAX + 2; index += 1) {
      counters.add(PLACE, hit({ class: `c${index}` }));
    }
    counters.opened({ zonePair: 'Z', className: 'C0' }, 0);
    const record = counters.toRecord(0);
    expect(record.classes).toHaveLength(ZONE_CLASSES_COUNTED_MAX);
    expect(record.applications).toHaveLength(APPLICATION_CLASSES_COUNTED_MAX);
    expect(record.uncounted).toBe(5);
    expect(record.classes[0]).toMatchObject({ created: 2 });
  });
});

describe('clear', () => {
  test('of one zone-pair leaves the others, and the sessions that are open', () => {
    const counters = new PolicyCounters();
    const elsewhere = { zonePair: 'IN-TO-OUT', className: 'MAIL-IN' };
    for (const place of [PLACE, PLACE, elsewhere]) {
      counters.opened(place, 1_000);
      counters.add(place, hit());
    }
    counters.closed(PLACE, 'smtp', 10);
    counters.clear(4_000, 'OUT-TO-DMZ');
    const { classes, applications } = counters.toRecord(6_000);
    expect(classes).toEqual([
      {
        ...PLACE,
        packets: {},
        created: 0,
        open: 1,
        maxOpen: 1,
        lastCreatedSecondsAgo: 5,
        creationRate: 0,
        maxCreationRate: 0,
        clearedSecondsAgo: 2,
      },
      expect.objectContaining({ ...elsewhere, created: 1 }),
    ]);
    expect(applications).toEqual([expect.objectContaining({ ...elsewhere, hits: { count: 1, bytes: 10 } })]);
    counters.clear(6_000);
    expect(counters.toRecord(6_000).applications).toEqual([]);
  });
});

describe('several workers', () => {
  test('are added up class by class', () => {
    const [one, other] = [new PolicyCounters(), new PolicyCounters()];
    one.opened(PLACE, 1_000);
    other.opened(PLACE, 3_000);
    other.opened(OTHER, 3_000);
    one.opened(PLACE, 500);
    one.closed(PLACE, 'smtp', 7);
    one.add(PLACE, hit());
    other.add(PLACE, hit({ event: 'EHLO_REPLY', shadow: true, bytes: 3 }));
    other.clear(3_500, 'nobody');
    const together = combinePolicyStatistics([one.toRecord(4_000), other.toRecord(4_000)]);
    expect(together.classes).toEqual([
      {
        ...PLACE,
        packets: { smtp: 7 },
        created: 3,
        open: 2,
        maxOpen: 3,
        lastCreatedSecondsAgo: 1,
        creationRate: 0,
        maxCreationRate: 3,
      },
      {
        ...OTHER,
        packets: {},
        created: 1,
        open: 1,
        maxOpen: 1,
        lastCreatedSecondsAgo: 1,
        creationRate: 0,
        maxCreationRate: 1,
      },
    ]);
    expect(together.applications).toEqual([
      {
        ...PLACE,
        policy: 'P1',
        applicationClass: 'c1',
        hits: { count: 1, bytes: 10 },
        shadow: { count: 1, bytes: 3 },
        events: { CMD_VERB: { count: 1, bytes: 10 }, EHLO_REPLY: { count: 1, bytes: 3 } },
      },
    ]);
    expect(combinePolicyStatistics([])).toEqual(NO_POLICY_STATISTICS);
  });
});
