import { expect, test } from 'vitest';
import { formatLogMessage, iosLine } from '../log/format.ts';
import { createFakeAddon } from '../native/fake-addon.ts';
import { type Configuration, EMPTY_CONFIGURATION, type PolicyClass } from '../policy/configuration.ts';
import { PacketEngine } from './packet-engine.ts';

function configurationOf(...actions: PolicyClass['actions']): Configuration {
  return {
    ...EMPTY_CONFIGURATION,
    zones: [{ name: 'out' }, { name: 'in' }],
    interfaces: [
      { name: 'outside0', zone: 'out' },
      { name: 'inside0', zone: 'in' },
    ],
    classMaps: [
      { name: 'BOX', combine: 'match-any', matches: [{ words: ['protocol', 'pop3'] }] },
      {
        ...{ name: 'BAD', protocol: 'pop3', combine: 'match-any' },
        matches: [{ words: ['invalid-command'] }, { words: ['login', 'clear-text'] }],
      },
    ],
    policyMaps: [
      { name: 'P', classes: [{ name: 'BOX', actions: [['inspect'], ['service-policy', 'pop3', 'AIC']] }] },
      { name: 'AIC', protocol: 'pop3', classes: [{ name: 'BAD', actions }] },
    ],
    zonePairs: [{ name: 'OUT-IN', source: 'out', destination: 'in', policy: 'P' }],
  };
}

function told(configuration: Configuration, text: string): readonly string[] {
  const fake = createFakeAddon();
  fake.interfaces.set(2, 'outside0').set(3, 'inside0');
  const lines: string[] = [];
  const settings = {
    configuration,
    hostname: 'mx.example',
    marks: { offloadBoth: 2, offloadResponder: 4, clear: 8, session: 16 },
  };
  const log = (message: Parameters<typeof formatLogMessage>[0]) => void lines.push(iosLine(formatLogMessage(message)));
  new PacketEngine({ addon: fake.addon, host: 0, worker: 1, settings, log });
  const flow = { flow: 7, generation: 1 };
  fake.deliver((batch) =>
    batch.opened({
      ...{ ...flow, protocol: 'pop3', inInterface: 2, outInterface: 3 },
      initiator: { address: [192, 0, 2, 1], port: 40_000 },
      responder: { address: [203, 0, 113, 25], port: 110 },
    }),
  );
  fake.deliver((batch) => batch.frame(flow, 'line', 'responder', { text: '+OK ready' }));
  fake.deliver((batch) => batch.frame(flow, 'line', 'initiator', { text }));
  return lines.filter((line) => line.includes('POP3_'));
}

test.each([
  ['invalid command', 'XKILL all', '_INVALID_COMMAND: (target:class)-(OUT-IN:BOX):Invalid POP3 command'],
  ['login in clear', 'USER mrose', '_NON_SECURE_LOGIN: (target:class)-(OUT-IN:BOX):LOGON POP3 command'],
])('%s: one line, whether the class logs it, resets it, or both', (_, text, expected) => {
  for (const actions of [[['log']], [['log'], ['reset']], [['reset']]]) {
    expect(told(configurationOf(...actions), text), JSON.stringify(actions)).toEqual([
      expect.stringContaining(expected),
    ]);
  }
  expect(told(configurationOf(['allow']), text)).toEqual([]);
});
