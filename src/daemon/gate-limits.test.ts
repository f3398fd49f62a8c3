import { describe, expect, test } from 'vitest';
import { type Configuration, EMPTY_CONFIGURATION, type ParameterMap } from '../policy/configuration.ts';
import { effectiveGlobals } from '../policy/defaults.ts';
import { gateGlobals } from './gate-limits.ts';

const map = (name: string, ...lines: readonly string[]): ParameterMap => ({
  name,
  kind: 'inspect',
  lines: lines.map((line) => line.split(' ')),
});

function zoned(parameterMaps: readonly ParameterMap[], changes: Partial<Configuration> = {}): Configuration {
  const classes = parameterMaps.map(({ name }, index) => ({ name: `C${index}`, actions: [['inspect', name]] }));
  return {
    ...EMPTY_CONFIGURATION,
    parameterMaps,
    policyMaps: [{ name: 'P', classes }],
    zonePairs: [{ name: 'Z', source: 'a', destination: 'b', policy: 'P' }],
    ...changes,
  };
}

describe('what the one gate holds to', () => {
  test('without zones the globals', () => {
    const classic = { ...EMPTY_CONFIGURATION, inspect: { maxIncompleteHigh: 7 } };
    expect(gateGlobals(classic)).toEqual(effectiveGlobals(classic));
  });

  test('with zones alone the strictest parameter-map, and nothing of the globals (C24)', () => {
    const strict = map(
      'A',
      'max-incomplete low 800',
      'max-incomplete high 1000',
      'tcp max-incomplete host 60 block-time 1',
    );
    const other = map('B', 'max-incomplete high 2000', 'one-minute high 600', 'tcp synwait-time 20', 'alert off');
    expect(gateGlobals(zoned([strict, other], { inspect: { maxIncompleteHigh: 5, alertOff: true } }))).toMatchObject({
      maxIncompleteLow: 800,
      maxIncompleteHigh: 1_000,
      oneMinuteHigh: 600,
      oneMinuteLow: Number.POSITIVE_INFINITY,
      tcpMaxIncompleteHost: 60,
      tcpBlockTimeMinutes: 1,
      tcpSynwaitTimeSeconds: 20,
      alert: true,
    });
  });

  test('IOS has no limits in a map that says nothing', () => {
    expect(gateGlobals(zoned([map('A')]))).toMatchObject({
      maxIncompleteHigh: Number.POSITIVE_INFINITY,
      tcpMaxIncompleteHost: Number.POSITIVE_INFINITY,
      tcpSynwaitTimeSeconds: 30,
    });
  });

  test('beside a rule of ip inspect its limits hold too', () => {
    const interfaces = [{ name: 'eth0', inspectIn: 'R' }];
    const both = zoned([map('A', 'max-incomplete high 1000')], { interfaces, inspect: { maxIncompleteHigh: 300 } });
    expect(gateGlobals(both)).toMatchObject({ maxIncompleteHigh: 300, tcpMaxIncompleteHost: 50 });
  });

  test('log dropped-packets of a map asks for the drops of the gate', () => {
    expect(gateGlobals(zoned([map('A', 'log dropped-packets enable')])).logDropPackets).toBe(true);
  });
});
