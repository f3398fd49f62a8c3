import { describe, expect, test } from 'vitest';
import type { BlockedHost } from '../firewall/snapshot.ts';
import { EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { runExec } from './exec.ts';
import type { ExecContext } from './exec-context.ts';

const BLOCKED: readonly BlockedHost[] = [
  { address: '203.0.113.25', blockedSeconds: 59, remainingSeconds: 61 },
  { address: '2001:db8::25', blockedSeconds: 1, remainingSeconds: 59 },
];

function context(blocked: readonly BlockedHost[] = BLOCKED) {
  const asked: string[] = [];
  const value: ExecContext = {
    ...{ configuration: EMPTY_CONFIGURATION, configurationFile: 'f', version: '9' },
    startupText: async () => '',
    sessions: async () => [],
    unlistedHalfOpen: () => 0,
    blockedHosts: () => blocked,
    unblock: (host) => {
      asked.push(host);
      return host === 'all' ? blocked.length : blocked.filter(({ address }) => address === host).length;
    },
    statistics: () => Promise.reject(new Error('nobody asks')),
    endDebug: () => 0,
    clearSessions: async () => 0,
    clearStatistics: async () => undefined,
    reload: async () => [],
    save: async () => [],
  };
  return { value, asked };
}

describe('clear ip inspect blocked-hosts', () => {
  test('one, all, and one that is not blocked', async () => {
    const { value, asked } = context();
    const clear = (what: string) => runExec({ command: `clear ip inspect blocked-hosts ${what}` }, value);
    expect(await clear('2001:db8::25')).toEqual({ output: '' });
    expect(await clear('all')).toEqual({ output: '' });
    expect(await clear('192.0.2.1')).toEqual({ error: '% 192.0.2.1 is not blocked' });
    expect(asked).toEqual(['2001:db8::25', 'all', '192.0.2.1']);
  });
});
