import { expect, test } from 'vitest';
import { formatLogMessage, iosLine } from '../log/format.ts';
import { createFakeAddon } from '../native/fake-addon.ts';
import { EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import { PacketEngine } from './packet-engine.ts';

/** Sessions of one server under an inspection rule whose alerts are off. */
function desk() {
  const fake = createFakeAddon();
  fake.interfaces.set(2, 'outside0').set(3, 'inside0');
  const lines: string[] = [];
  const configuration = {
    ...EMPTY_CONFIGURATION,
    rules: [{ name: 'M', protocols: [{ protocol: 'esmtp', alert: false }] }],
    interfaces: [{ name: 'outside0', inspectIn: 'M' }],
  };
  const marks = { offloadBoth: 2, offloadResponder: 4, clear: 8, session: 16 };
  const settings = { configuration, hostname: 'mx.example', marks };
  const log = (message: Parameters<typeof formatLogMessage>[0]) => void lines.push(iosLine(formatLogMessage(message)));
  new PacketEngine({ addon: fake.addon, host: 0, worker: 1, settings, log });
  let flows = 0;
  const session = (port: number, ...keywords: readonly string[]): void => {
    flows += 1;
    const flow = { flow: flows, generation: 1 };
    fake.deliver((batch) =>
      batch.opened({
        ...{ ...flow, protocol: 'smtp', inInterface: 2, outInterface: 3 },
        initiator: { address: [192, 0, 2, 1], port: 40_000 },
        responder: { address: [203, 0, 113, 25], port },
      }),
    );
    const dialogue = [
      ['responder', '220 mx'],
      ['initiator', 'EHLO c'],
      ['responder', '250-mx'],
      ...keywords.map((keyword, at) => ['responder', `250${at === keywords.length - 1 ? ' ' : '-'}${keyword}`]),
    ] as const;
    for (const [side, text] of dialogue) {
      fake.deliver((batch) => batch.frame(flow, 'line', side as 'initiator' | 'responder', { text: text ?? '' }));
    }
  };
  const refusal = (code: string): void => {
    session(25, 'STARTTLS');
    const flow = { flow: flows, generation: 1 };
    fake.deliver((batch) => batch.frame(flow, 'line', 'initiator', { text: 'STARTTLS' }));
    fake.deliver((batch) => batch.frame(flow, 'line', 'responder', { text: `${code} no` }));
  };
  return { lines, session, refusal };
}

test('a server that stops offering STARTTLS is told of once, whatever the policy', () => {
  const { lines, session } = desk();
  session(25, 'SIZE');
  session(25, 'STARTTLS', 'SIZE');
  session(587, 'SIZE');
  expect(lines).toEqual([]);
  session(25, 'SIZE');
  session(25, 'XXXXXXXA', 'SIZE');
  expect(lines).toEqual([
    expect.stringMatching(
      /^%POSTERN-4-STARTTLS_WITHDRAWN: Server 203\.0\.113\.25:25 offered STARTTLS before and does not any more \(missing\)/,
    ),
  ]);
});

test('and of one that offers it, but refuses to begin', () => {
  const { lines, refusal } = desk();
  refusal('421');
  expect(lines).toEqual([]);
  refusal('454');
  refusal('454');
  expect(lines).toEqual([expect.stringMatching(/^%POSTERN-4-STARTTLS_WITHDRAWN: .* \(refused\) - smtp session/)]);
});
