import { expect, test } from 'vitest';
import { effectiveInspection } from '../policy/defaults.ts';
import { zoneInspection } from '../policy/zone-inspection.ts';
import { parseConfiguration } from './parse-configuration.ts';
import { printConfiguration } from './print-configuration.ts';

const read = (...lines: string[]) => parseConfiguration(lines.join('\n'), 'test').configuration;

test.each(['smtp', 'esmtp', 'pop3', 'imap', 'smtps', 'pop3s', 'imaps'])(
  'tls minimum-version of %s is kept, printed and in force',
  (protocol) => {
    const line = `ip inspect name MAIL ${protocol} tls minimum-version 1.2`;
    const configuration = read(line);
    expect(printConfiguration(configuration)).toContain(line);
    const [entry] = configuration.rules[0]?.protocols ?? [];
    expect(entry && effectiveInspection(configuration, entry).tlsMinimumVersion).toBe(0x0303);
  },
);

test('without the option any version will do, and other versions or protocols are not taken', () => {
  const configuration = read('ip inspect name MAIL smtp');
  const [entry] = configuration.rules[0]?.protocols ?? [];
  expect(entry && effectiveInspection(configuration, entry).tlsMinimumVersion).toBeUndefined();
  expect(read('ip inspect name MAIL smtp tls minimum-version 1.4').rules).toEqual([]);
  expect(read('ip inspect name MAIL tcp tls minimum-version 1.2').rules).toEqual([]);
});

test('a parameter-map has the line too, and loses it', () => {
  const map = ['parameter-map type inspect P', ' tls minimum-version 1.1', ' tls minimum-version 1.3'];
  const configuration = read(...map);
  expect(zoneInspection(configuration, 'P').tlsMinimumVersion).toBe(0x0304);
  expect(printConfiguration(configuration).match(/minimum-version/g)).toHaveLength(1);
  expect(zoneInspection(read(...map, ' no tls minimum-version'), 'P').tlsMinimumVersion).toBeUndefined();
});
