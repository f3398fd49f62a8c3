import { describe, expect, test } from 'vitest';
import { createNotifier, watchdogIntervalMs } from './notify.ts';

function harness(socket: string | undefined) {
  const sent: [string, string][] = [];
  const notifier = createNotifier({
    socket,
    send: (path, text) => sent.push([path, text]),
    monotonicMicroseconds: () => 123_456n,
  });
  return { sent, notifier };
}

describe('notifier', () => {
  test('says what sd_notify(3) names', () => {
    const { sent, notifier } = harness('/run/systemd/notify');
    notifier.ready('2 queues');
    notifier.reloading();
    notifier.status('calm');
    notifier.watchdog();
    notifier.stopping('bye');
    expect(sent).toEqual([
      ['/run/systemd/notify', 'READY=1\nSTATUS=2 queues'],
      ['/run/systemd/notify', 'RELOADING=1\nMONOTONIC_USEC=123456'],
      ['/run/systemd/notify', 'STATUS=calm'],
      ['/run/systemd/notify', 'WATCHDOG=1'],
      ['/run/systemd/notify', 'STOPPING=1\nSTATUS=bye'],
    ]);
  });

  test('an abstract name is handed on as systemd writes it', () => {
    const { sent, notifier } = harness('@/org/notify');
    notifier.watchdog();
    expect(sent[0]?.[0]).toBe('@/org/notify');
  });

  test.each([undefined, '', 'relative', 'vsock:2:1'])('socket %j: nothing is sent', (socket) => {
    const { sent, notifier } = harness(socket);
    notifier.ready('x');
    expect(sent).toEqual([]);
  });

  test('a status cannot smuggle in another assignment, and is short', () => {
    const { sent, notifier } = harness('/s');
    notifier.status(`bad file\nMAINPID=1\r\n${'x'.repeat(5000)}`);
    expect(sent[0]?.[1]).not.toContain('\n');
    expect(sent[0]?.[1].length).toBeLessThan(300);
  });

  test('a manager that is gone is reported once and hurts nobody', () => {
    const failures: unknown[] = [];
    const notifier = createNotifier({
      socket: '/s',
      send: () => {
        throw new Error('ECONNREFUSED');
      },
      monotonicMicroseconds: () => 0n,
      failed: (error) => failures.push(error),
    });
    notifier.watchdog();
    notifier.watchdog();
    expect(failures).toHaveLength(1);
  });
});

describe('watchdog interval', () => {
  test.each([
    [{ WATCHDOG_USEC: '10000000' }, 5000],
    [{ WATCHDOG_USEC: '10000000', WATCHDOG_PID: '7' }, 5000],
    [{ WATCHDOG_USEC: '10000000', WATCHDOG_PID: '8' }, undefined],
    [{ WATCHDOG_USEC: 'soon' }, undefined],
    [{ WATCHDOG_USEC: '0' }, undefined],
    [{}, undefined],
  ])('%j: %j', (environment, expected) => {
    expect(watchdogIntervalMs(environment, 7)).toBe(expected);
  });
});
