import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Configuration } from '../policy/configuration.ts';
import { effectiveGlobals } from '../policy/defaults.ts';
import { parseConfiguration } from './parse-configuration.ts';
import { printConfiguration } from './print-configuration.ts';

const FOLDER = new URL('../../test/config/', import.meta.url);

interface Expectation {
  /** Line and column of each error. */
  readonly errors?: readonly string[];
  /** Part of the first error's message. */
  readonly message?: string;
  /** Parts of notices that must be there. */
  readonly notices?: readonly string[];
  readonly holds?: (configuration: Configuration) => void;
}

/** What each configuration of the library must lead to in this version. */
const EXPECTED: Readonly<Record<string, Expectation>> = {
  'C01-seed-email-engine-verbatim': {
    notices: ['interface without a type, read as 1/0', "read as 'ip inspect mail-guard in'"],
    holds: ({ rules, interfaces }) => {
      expect(rules[0]?.protocols.map((entry) => entry.protocol)).toEqual(['pop3', 'imap']);
      expect(interfaces).toEqual([{ name: '1/0', inspectIn: 'mail-guard' }]);
    },
  },
  'C02-classic-canonical': {
    notices: ['protocols other than mail', '2 lines outside the firewall'],
    holds: ({ rules, interfaces }) => {
      const pop3 = rules[0]?.protocols.find((entry) => entry.protocol === 'pop3');
      expect(pop3).toMatchObject({ reset: true, secureLogin: true, timeoutSeconds: 1800, alert: true });
      expect(interfaces[1]).toMatchObject({ description: 'outside', accessGroupIn: 'OUTSIDE-IN' });
    },
  },
  'C03-smtp-maxdata-block-time': {
    holds: ({ inspect, rules, accessLists }) => {
      expect(inspect).toMatchObject({ tcpMaxIncompleteHost: 100, tcpBlockTimeMinutes: 2, reassemblyQueueLength: 32 });
      expect(inspect).toMatchObject({ reassemblyMemoryLimitKilobytes: 2048, reassemblyAlarm: true });
      expect(rules[0]?.protocols[0]).toMatchObject({ maxDataBytes: 10_485_760, timeoutSeconds: 600 });
      expect(accessLists[0]?.entries[0]).toMatchObject({ destinationPort: { operator: 'eq', from: 25 } });
    },
  },
  'C04-esmtp-with-globals-off': {
    notices: ['pop3s is encrypted', 'access list EXT_IN has no entries and permits everything', 'EXT_OUT has no'],
    holds: (configuration) => {
      expect(effectiveGlobals(configuration)).toMatchObject({
        alert: false,
        maxIncompleteLow: 400,
        maxIncompleteHigh: 400,
      });
    },
  },
  'C05-smtp-and-esmtp-conflict': { errors: ['4:22'], message: 'ESMTP cannot coexist with SMTP' },
  'C06-bad-ranges': { errors: ['3:32', '4:27', '5:36', '6:50', '7:29', '8:27', '9:24', '10:24'] },
  'C07-no-forms': { holds: ({ inspect, rules }) => expect([inspect, rules]).toEqual([{}, []]) },
  'C08-seed-pinhole-verbatim': {
    notices: ['attached to nothing'],
    holds: ({ classMaps }) => expect(classMaps[0]?.matches).toEqual([{ words: ['protocol', 'smtp'] }]),
  },
  'C09-pinhole-canonical': {
    holds: ({ policyMaps }) =>
      expect(policyMaps[0]?.classes).toEqual([
        { name: 'c1', actions: [['inspect']] },
        { name: 'class-default', actions: [['drop']] },
      ]),
  },
  'C10-seed-prevent-esmtp-verbatim': {},
  'C11-seed-cmd-length': {},
  'C12-cmd-length-illegal-pair': {
    errors: ['5:2'],
    message: "%Error: 'match cmd line length' can be combined only with 'match cmd verb' in match-all class-map bad1",
  },
  'C13-cmd-length-match-any-ok': { holds: ({ classMaps }) => expect(classMaps[0]?.matches).toHaveLength(3) },
  'C14-mask-illegal': {
    errors: ['7:3'],
    message: "%Error: action 'mask' requires a class with only 'match cmd verb' or 'match reply ehlo' (class m1)",
  },
  'C15-seed-mime-jpeg': { notices: ['pattern "*image//*" read as glob'] },
  'C16-seed-mime-encoding': {},
  'C17-seed-body-text': { notices: ['read as glob; effective /UD-421590/'] },
  'C18-seed-subject-lottery': { notices: ['effective /^Subject:.*lottery/'] },
  'C19-seed-ehlo-mask': {},
  'C20-seed-log-atrn': {
    holds: ({ classMaps }) => expect(classMaps[0]?.matches[0]?.words).toEqual(['cmd', 'verb', 'ATRN']),
  },
  'C21-spam-suite': { notices: ['"*deals\\.com" read as glob'] },
  'C22-private-verbs': {},
  'C23-pop3-imap-l7': {},
  // Three policies that C21 and C23 bring.
  'C24-full-zbfw': { errors: ['39:23', '42:23', '45:23'], message: 'policy-map type inspect smtp mail-policy is not' },
  'C25-police-and-pass': {
    notices: ['zone inside does not exist, zone-pair IN-OUT has no effect'],
    holds: ({ policyMaps, zonePairs }) => {
      expect(policyMaps[0]?.classes[0]?.actions).toEqual([['inspect'], 'police rate 128000 burst 8000'.split(' ')]);
      expect(zonePairs).toEqual([{ name: 'IN-OUT', source: 'inside', destination: 'outside', policy: 'LIMITED' }]);
    },
  },
  'C26-police-without-inspect': {
    errors: ['4:21', '6:3'],
    message: '%Error: police requires inspect in class BULK-MAIL',
  },
  'C27-self-zone': {
    notices: ['zone outside does not exist, zone-pair OUT-SELF has no effect'],
    holds: ({ zonePairs }) => expect(zonePairs[0]).toMatchObject({ source: 'outside', destination: 'self' }),
  },
  'C28-zone-and-cbac-conflict': {
    errors: ['4:23', '5:13'],
    message: "interface GigabitEthernet0/0 is a member of zone outside and cannot have 'ip inspect mail-guard'",
  },
  'C29-undefined-refs': { errors: ['4:21', '7:29'], message: 'class-map NOT-DEFINED is not defined' },
  'C30-port-map-submission': {
    holds: ({ portMaps }) => expect(portMaps).toEqual([{ application: 'smtp', transport: 'tcp', from: 587, to: 587 }]),
  },
  'C31-aliases-from-seed-prose': {
    notices: ["read as 'match cmd line length gt 512'", "read as 'match reply ehlo 8BITMIME'"],
    holds: (configuration) => expect(printConfiguration(configuration)).toContain(' match mime encoding 7-bit\n'),
  },
  'C32-regex-errors': { errors: ['4:11', '5:11'], message: 'Nothing to repeat' },
  'C33-threshold-drag': {
    notices: [
      '%Also resetting high threshold from [500] to [600]',
      '%Also resetting low threshold from [600] to [500]',
    ],
    holds: ({ inspect }) => expect(inspect).toEqual({ maxIncompleteLow: 500, maxIncompleteHigh: 500 }),
  },
};

function load(...names: readonly string[]): string {
  return names.map((name) => readFileSync(new URL(`${name}.ios`, FOLDER), 'utf8')).join('');
}

describe('the configuration library', () => {
  test('is complete', () => {
    const files = readdirSync(FOLDER).filter((file) => file.endsWith('.ios'));
    expect(files.map((file) => file.slice(0, -4)).sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  test.each(Object.entries(EXPECTED))('%s', (name, expected) => {
    const parsed = parseConfiguration(load(name), name);
    const places = parsed.errors.map((error) => `${error.line}:${error.column}`);
    if (expected.message === undefined) expect(places).toEqual(expected.errors ?? []);
    if (expected.errors !== undefined) expect(places).toEqual(expected.errors);
    if (expected.message !== undefined) {
      expect(parsed.errors.some((error) => error.message.includes(expected.message ?? ''))).toBe(true);
    }
    for (const part of expected.notices ?? []) {
      expect(parsed.notices.map((notice) => notice.message).join('\n')).toContain(part);
    }
    expected.holds?.(parsed.configuration);
    if (parsed.errors.length > 0) return;
    const again = parseConfiguration(printConfiguration(parsed.configuration), 'printed');
    expect(again.errors).toEqual([]);
    expect(again.configuration).toEqual(parsed.configuration);
  });

  test('the whole zone configuration loads, once its maps are there, and all of it is attached', () => {
    const { configuration, errors, notices } = parseConfiguration(
      load('C21-spam-suite', 'C23-pop3-imap-l7', 'C24-full-zbfw'),
      'all',
    );
    expect(errors).toEqual([]);
    expect(notices.map((notice) => notice.message)).toEqual([
      '% notice: pattern "*deals\\.com" read as glob; effective /deals\\.com$/',
      '% notice: 3 lines outside the firewall skipped, the first is line 103',
    ]);
    expect(configuration.zones.map(({ name }) => name)).toEqual(['inside', 'dmz', 'outside']);
    expect(configuration.interfaces.map(({ zone }) => zone)).toEqual(['outside', 'dmz', 'inside']);
    expect(configuration.zonePairs).toEqual([
      {
        name: 'OUT-TO-DMZ',
        source: 'outside',
        destination: 'dmz',
        description: 'Internet mail to the DMZ relay',
        policy: 'OUT-TO-DMZ-POL',
      },
    ]);
    const again = parseConfiguration(printConfiguration(configuration), 'printed');
    expect([again.errors, again.configuration]).toEqual([[], configuration]);
  });

  test.each(['C25-police-and-pass', 'C27-self-zone'])('%s says nothing more beside its zones', (name) => {
    const zones = 'zone security inside\nzone security outside\n';
    const { errors, notices } = parseConfiguration(zones + load(name), name);
    expect([errors, notices]).toEqual([[], []]);
  });

  test('a zone-pair of a configuration with zones names zones that are there', () => {
    const { errors } = parseConfiguration(`zone security inside\n${load('C25-police-and-pass')}`, 'half');
    expect(errors.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([
      '12:53 % Zone outside does not exist',
    ]);
  });
});
