import { describe, expect, test } from 'vitest';
import { parseReplayOptions, parseRulesOptions, parseRunOptions, UsageError } from './options.ts';

describe('run', () => {
  test('defaults', () => {
    expect(parseRunOptions([])).toEqual({
      config: '/etc/postern/postern.conf',
      control: '/run/postern/control.sock',
      stateDir: '/var/lib/postern',
      logFormat: 'ios',
      queue: 0,
      installRules: false,
    });
  });

  test('every option', () => {
    const line = '--config C --control S --state-dir D --log-format json --queue 65535 --install-rules';
    expect(parseRunOptions(line.split(' '))).toEqual({
      ...{ config: 'C', control: 'S', stateDir: 'D', logFormat: 'json', queue: 65_535, installRules: true },
    });
    expect(parseRunOptions(['--queue=7']).queue).toBe(7);
  });

  test.each([
    ['--log-format xml', /ios or json/],
    ['--queue 65536', /0 to 65535/],
    ['--queue -1', /queue/],
    ['--queue 1e3', /0 to 65535/],
    ['--queue=', /0 to 65535/],
    ['--config', /config/],
    ['--verbose', /--verbose/],
    ['file', /file/],
    ['--install-rules=yes', /install-rules/],
  ])('%s is wrong usage', (line, message) => {
    expect(() => parseRunOptions(line.split(' '))).toThrow(UsageError);
    expect(() => parseRunOptions(line.split(' '))).toThrow(message);
  });
});

describe('rules', () => {
  test.each(['print', 'install', 'remove'] as const)('%s', (action) => {
    expect(parseRulesOptions([action])).toEqual({ action, config: '/etc/postern/postern.conf', queue: 0 });
    expect(parseRulesOptions(['--queue', '9', action, '--config', 'C'])).toEqual({ action, config: 'C', queue: 9 });
  });

  test.each(['', 'flush', 'print install', 'print --json', 'print --queue x'])('%j is wrong usage', (line) => {
    expect(() => parseRulesOptions(line.split(' ').filter((word) => word !== ''))).toThrow(UsageError);
  });
});

describe('replay', () => {
  test('a capture and its options', () => {
    expect(parseReplayOptions(['a.pcap'])).toEqual({
      ...{ capture: 'a.pcap', config: '/etc/postern/postern.conf', json: false },
    });
    expect(parseReplayOptions(['--json', 'a.pcap', '--config', 'C', '--write', 'o.pcap'])).toEqual({
      ...{ capture: 'a.pcap', config: 'C', json: true, write: 'o.pcap' },
    });
  });

  test.each(['', 'a.pcap b.pcap', 'a.pcap --queue 1', 'a.pcap --write'])('%j is wrong usage', (line) => {
    expect(() => parseReplayOptions(line.split(' ').filter((word) => word !== ''))).toThrow(UsageError);
  });
});
