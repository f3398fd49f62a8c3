import { describe, expect, test } from 'vitest';
import { formatLogMessage } from '../log/format.ts';
import type { LogMessage } from '../log/log-message.ts';
import type { Addon, ContentPlan } from '../native/addon.ts';
import { createFakeAddon } from '../native/fake-addon.ts';
import type { FakeBatch, FakeFlow } from '../native/fake-batch.ts';
import type { PatternSets } from '../policy/application/pattern-sets.ts';
import { type ClassMap, type Configuration, EMPTY_CONFIGURATION, type PolicyMap } from '../policy/configuration.ts';
import type { Learning } from '../policy/learned.ts';
import { PacketEngine } from './packet-engine.ts';
import { makeSessionCounts, SessionLimits } from './session-limits.ts';
import { zoneCountName } from './zone-places.ts';

const MARKS = { offloadBoth: 2, offloadResponder: 4, clear: 8, session: 16 };

const classMap = (name: string, protocol: ClassMap['protocol'], ...lines: readonly string[]): ClassMap => ({
  ...{ name, combine: 'match-any', matches: lines.map((line) => ({ words: line.split(' ') })) },
  ...(protocol === undefined ? {} : { protocol }),
});
const policyMap = (
  name: string,
  protocol: PolicyMap['protocol'],
  classes: Readonly<Record<string, readonly string[]>>,
): PolicyMap => ({
  name,
  classes: Object.entries(classes).map(([className, actions]) => ({
    name: className,
    actions: actions.map((line) => line.split(' ')),
  })),
  ...(protocol === undefined ? {} : { protocol }),
});

/** Out to in: mail by an application policy, names alone, telnet passed, what is on a list dropped and told of. */
const CONFIGURATION: Configuration = {
  ...EMPTY_CONFIGURATION,
  zones: [{ name: 'out' }, { name: 'in' }],
  interfaces: [
    { name: 'outside0', zone: 'out' },
    { name: 'inside0', zone: 'in' },
    { name: 'inside1', zone: 'in' },
  ],
  parameterMaps: [
    {
      name: 'PM',
      kind: 'inspect',
      lines: [
        ['audit-trail', 'on'],
        ['tcp', 'idle-time', '77'],
        ['sessions', 'maximum', '2'],
      ],
    },
    { name: 'SPAM', kind: 'regex', lines: [['pattern', '"spam"']] },
  ],
  classMaps: [
    classMap('MAIL', undefined, 'protocol smtp', 'protocol smtps'),
    classMap('BOX', undefined, 'protocol pop3', 'protocol imap'),
    classMap('WEB', undefined, 'protocol tcp'),
    classMap('SENDERS', 'smtp', 'sender address regex SPAM', 'cmd verb ETRN'),
    classMap('HIDDEN', 'smtp', 'reply ehlo ETRN'),
    classMap('LONG', 'smtp', 'data-length gt 100'),
  ],
  policyMaps: [
    policyMap('P', undefined, {
      MAIL: ['inspect PM', 'service-policy smtp AIC'],
      BOX: ['inspect'],
      WEB: ['pass'],
      'class-default': ['drop log'],
    }),
    policyMap('AIC', 'smtp', { SENDERS: ['reset', 'log'], HIDDEN: ['mask'], LONG: ['reset'] }),
  ],
  zonePairs: [{ name: 'OUT-IN', source: 'out', destination: 'in', policy: 'P' }],
};
const PATTERNS: PatternSets = { maps: ['SPAM'], sets: { sender: 7 } };

const SMTP: FakeFlow = {
  ...{ flow: 7, generation: 1, protocol: 'smtp', inInterface: 2, outInterface: 3 },
  initiator: { address: [192, 0, 2, 1], port: 40_000 },
  responder: { address: [203, 0, 113, 25], port: 25 },
};

function start(configuration = CONFIGURATION, patterns = PATTERNS) {
  const fake = createFakeAddon();
  fake.interfaces.set(2, 'outside0').set(3, 'inside0').set(4, 'inside1').set(5, 'dmz0');
  const plans: ContentPlan[] = [];
  let failure: string | undefined;
  const fail = (why: string): void => {
    failure = why;
  };
  const released: number[] = [];
  const addon: Addon = {
    ...fake.addon,
    definePlan(_host, plan) {
      if (failure !== undefined) throw new Error(failure);
      return plans.push(plan);
    },
    releasePlan: (_host, plan) => void released.push(plan),
  };
  const messages: LogMessage[] = [];
  const learned: Learning[] = [];
  const limits = new SessionLimits(makeSessionCounts(1), 0, {
    maximum: Number.POSITIVE_INFINITY,
    rules: [{ rule: zoneCountName({ zonePair: 'OUT-IN', className: 'MAIL' }), place: 1, maximum: 2 }],
  });
  const settings = { configuration, hostname: 'mx.example', marks: MARKS, patterns };
  const asked: string[] = [];
  const engine = new PacketEngine({
    ...{ addon, host: 0, worker: 1, limits, settings },
    patterns: {
      usePatterns(set) {
        asked.push(`use ${set}`);
        return { kind: 'patterns' };
      },
      matchText(_patterns, text) {
        asked.push(`match ${text}`);
        return text.includes('spam') ? [0] : [];
      },
    },
    log: (message) => void messages.push(message),
    learn: (sender) => void learned.push(sender),
  });
  const ops = (write: (batch: FakeBatch) => unknown) =>
    fake.deliver(write).map(({ op, side, flags, arguments: rest }) => [op, side, flags, ...rest].join(' '));
  const say = (from: 'initiator' | 'responder', text: string, flow: Pick<FakeFlow, 'flow' | 'generation'> = SMTP) =>
    ops((batch) => batch.frame(flow, 'line', from, { text }));
  const texts = () => messages.map((message) => `${message.id} ${formatLogMessage(message).text}`);
  return { fake, fail, engine, messages, learned, ops, say, texts, plans, released, asked, settings };
}

/** Up to the answer to EHLO, whose keywords are `keywords`. */
function greet(say: ReturnType<typeof start>['say'], ...keywords: readonly string[]) {
  say('responder', '220 mx ESMTP');
  say('initiator', 'EHLO client.example');
  const lines = ['mx.example', ...keywords];
  return lines.map((line, index) => say('responder', `250${index === lines.length - 1 ? ' ' : '-'}${line}`));
}

const OURS = expect.stringMatching(/^idle /);

describe('a flow between zones', () => {
  test('is read under the application policy of its class', () => {
    const { ops, say, engine } = start();
    expect(ops((batch) => batch.opened(SMTP))).toEqual([
      'idle initiator 0 77',
      expect.stringMatching(/^frame initiator/),
      expect.stringMatching(/^frame responder/),
    ]);
    const answers = greet(say, 'ETRN', 'PIPELINING', 'SIZE');
    expect(answers.map((orders) => orders[0]?.split(' ')[0])).toEqual(['forward', 'mask', 'forward', 'forward']);
    expect(say('initiator', 'MAIL FROM:<a@example.org>')[0]).toBe('forward initiator 0');
    expect(engine.policyStatistics()).toMatchObject({
      classes: [{ zonePair: 'OUT-IN', className: 'MAIL', created: 1, open: 1 }],
      applications: [{ policy: 'AIC', applicationClass: 'HIDDEN', hits: { count: 1 } }],
    });
  });

  test('is refused in words by a class with reset, counted and told of', () => {
    const { ops, say, engine, texts, fake, asked } = start();
    ops((batch) => batch.opened(SMTP));
    greet(say, 'SIZE');
    const orders = fake.deliver((batch) =>
      batch.frame(SMTP, 'line', 'initiator', { text: 'MAIL FROM:<spam@example.org>' }),
    );
    const refusal = orders.find(({ op }) => op === 'refuse');
    expect(refusal && fake.words(refusal)).toBe(
      '554 5.7.1 mx.example refused: the sender address is not accepted here\r\n',
    );
    expect(asked).toEqual(['use 7', 'match spam@example.org']);
    expect(texts().filter((text) => text.startsWith('SMTP_SENDER'))).toEqual([
      expect.stringMatching(
        /resetting session 192\.0\.2\.1:40000 203\.0\.113\.25:25 on zone-pair OUT-IN class MAIL appl-class SENDERS$/,
      ),
    ]);
    expect(engine.statistics().refusals).toEqual({ 'policy-sender': 1 });
    expect(engine.policyStatistics().applications).toMatchObject([{ applicationClass: 'SENDERS', hits: { count: 1 } }]);
  });

  test('without an application policy is a pinhole: nothing of it is read but the hellos of a TLS port', () => {
    const { ops, engine, fake } = start();
    expect(ops((batch) => batch.opened({ ...SMTP, protocol: 'pop3' }))).toEqual([
      'idle initiator 0 3600',
      'stop initiator 3',
    ]);
    fake.flows = [];
    expect(ops((batch) => batch.opened({ ...SMTP, flow: 8, protocol: 'smtps' }))).toEqual([
      'idle initiator 0 77',
      'frame initiator 0 0 0',
      'frame responder 0 0 0',
      'pause responder 0',
      'frame initiator 3 0 0',
      'resume initiator 0',
    ]);
    expect(engine.policyStatistics().classes.map(({ className }) => className)).toEqual(['BOX', 'MAIL']);
  });

  test('that passes is not ours, nor is one inside a zone', () => {
    const { ops, messages, engine } = start();
    const telnet = { ...SMTP, protocol: 'tcp' as const, responder: { ...SMTP.responder, port: 23 } };
    expect(ops((batch) => batch.opened(telnet))).toEqual(['stop initiator 3']);
    expect(ops((batch) => batch.opened({ ...SMTP, inInterface: 3, outInterface: 4 }))).toEqual(['stop initiator 3']);
    expect(messages).toEqual([]);
    expect(engine.policyStatistics().classes).toEqual([]);
  });

  test('that is dropped ends at once; drop log tells of it', () => {
    const { ops, texts, engine } = start();
    const END = ['end initiator 0 3'];
    expect(ops((batch) => batch.opened({ ...SMTP, flow: 131_072, protocol: 'udp' }))).toEqual(END);
    expect(texts()).toEqual([
      expect.stringMatching(
        /^DROP_PKT Dropping udp session .* on zone-pair OUT-IN class class-default due to {2}DROP action/,
      ),
    ]);
    expect(ops((batch) => batch.opened({ ...SMTP, inInterface: 3, outInterface: 2 }))).toEqual(END);
    expect(ops((batch) => batch.opened({ ...SMTP, flow: 8, outInterface: 5 }))).toEqual(END);
    expect(texts()).toHaveLength(1);
    expect(engine.statistics().refusals).toEqual({ 'zone-drop': 1, 'no-zone-pair': 1, 'not-zoned': 1 });
    ops((batch) => batch.closed({ flow: 8, generation: 1 }, 'refused', [0, 0]));
    expect(engine.policyStatistics().classes).toEqual([]);
  });

  test('is one of so many: sessions maximum of the parameter-map', () => {
    const { ops, engine } = start();
    for (const flow of [7, 8]) expect(ops((batch) => batch.opened({ ...SMTP, flow }))[0]).toEqual(OURS);
    expect(ops((batch) => batch.opened({ ...SMTP, flow: 9 }))[0]).toMatch(/^end /);
    ops((batch) => batch.closed({ flow: 9, generation: 1 }, 'refused', [0, 0]));
    ops((batch) => batch.closed({ flow: 8, generation: 1 }, 'closed', [0, 0]));
    expect(ops((batch) => batch.opened({ ...SMTP, flow: 10 }))[0]).toEqual(OURS);
    expect(engine.policyStatistics().classes).toMatchObject([{ created: 3, open: 2, maxOpen: 2 }]);
  });

  test('carries the names of its place in logs and shows', () => {
    const { ops, texts, engine, fake } = start();
    ops((batch) => batch.opened(SMTP));
    expect(texts()).toEqual([expect.stringContaining('(target:class)-(OUT-IN:MAIL):Start smtp session')]);
    fake.flows = [
      {
        ...{ flow: 7, generation: 1, protocol: 1, stage: 1, initiatorPort: 40_000, responderPort: 25 },
        ...{ initiatorAddress: Uint8Array.of(192, 0, 2, 1), responderAddress: Uint8Array.of(203, 0, 113, 25) },
        ...{ initiatorBytes: 1, responderBytes: 2, createdMsAgo: 1, lastHeardMsAgo: 1, offloaded: false },
        ...{ midstream: false, initiatorPackets: 3, responderPackets: 2, inInterface: 2, outInterface: 3 },
      },
    ];
    expect(engine.sessions()).toMatchObject([{ rule: '', zonePair: 'OUT-IN', className: 'MAIL', application: 'AIC' }]);
    ops((batch) => batch.closed(SMTP, 'closed', [1, 2]));
    expect(engine.policyStatistics().classes).toMatchObject([{ packets: { smtp: 5 } }]);
  });
});

describe('addresses', () => {
  const LISTED: Configuration = {
    ...CONFIGURATION,
    accessLists: [
      {
        name: '101',
        kind: 'extended',
        entries: [
          {
            ...{ kind: 'rule', action: 'permit', protocol: 'tcp' },
            source: { address: '192.0.2.0', wildcard: '0.0.0.255' },
            destination: { address: '0.0.0.0', wildcard: '255.255.255.255' },
          },
        ],
      },
    ],
    classMaps: [
      ...CONFIGURATION.classMaps.filter(({ name }) => name !== 'BOX'),
      { ...classMap('BOX', undefined, 'access-group 101', 'protocol pop3'), combine: 'match-all' },
    ],
  };

  test('decide where a class asks an access list, for each flow anew', () => {
    const { ops } = start(LISTED);
    const from = (octet: number, flow: number) => ({
      ...{ ...SMTP, flow, protocol: 'pop3' as const },
      initiator: { address: [octet, 0, 2, 1], port: 40_000 },
    });
    expect(ops((batch) => batch.opened(from(192, 7)))[0]).toEqual(OURS);
    expect(ops((batch) => batch.opened(from(198, 8)))).toEqual(['stop initiator 3']);
    expect(ops((batch) => batch.opened(from(192, 9)))[0]).toEqual(OURS);
  });

  test('decide nothing else, but the port does for protocols without an engine', () => {
    const web = classMap('WEB', undefined, 'protocol http');
    const classMaps = [...CONFIGURATION.classMaps.filter(({ name }) => name !== 'WEB'), web];
    const { ops } = start({ ...CONFIGURATION, classMaps });
    const to = (port: number, flow: number) => ({
      ...{ ...SMTP, flow, protocol: 'tcp' as const },
      responder: { ...SMTP.responder, port },
    });
    expect(ops((batch) => batch.opened(to(80, 7)))).toEqual(['stop initiator 3']);
    expect(ops((batch) => batch.opened(to(81, 8)))).toEqual(['end initiator 0 3']);
    expect(ops((batch) => batch.opened(to(80, 9)))).toEqual(['stop initiator 3']);
  });
});

describe('a change of configuration', () => {
  const changed: Configuration = {
    ...CONFIGURATION,
    classMaps: CONFIGURATION.classMaps.map((map) =>
      map.name === 'LONG' ? classMap('LONG', 'smtp', 'data-length gt 200') : map,
    ),
    policyMaps: [
      ...CONFIGURATION.policyMaps.filter(({ name }) => name !== 'AIC'),
      policyMap('AIC', 'smtp', { LONG: ['reset'] }),
    ],
  };

  test('leaves sessions under way their program', () => {
    const { ops, say, engine, settings } = start();
    ops((batch) => batch.opened(SMTP));
    engine.configure({ ...settings, configuration: changed });
    ops((batch) => batch.opened({ ...SMTP, flow: 8 }));
    greet(say, 'SIZE');
    greet((from, text) => say(from, text, { flow: 8, generation: 1 }), 'SIZE');
    const mail = 'MAIL FROM:<spam@example.org>';
    expect(say('initiator', mail)[0]).toMatch(/^refuse /);
    expect(say('initiator', mail, { flow: 8, generation: 1 })[0]).toBe('forward initiator 0');
  });

  test('defines its plans, keeps equal ones, and releases others with their last session', () => {
    const { ops, engine, plans, released, settings } = start();
    expect(plans).toEqual([{ encodings: false, headerLengths: [], dataLengths: [100] }]);
    ops((batch) => batch.opened(SMTP));
    ops((batch) => batch.opened({ ...SMTP, flow: 8 }));
    engine.configure({ ...settings, configuration: { ...CONFIGURATION, hostname: 'other' } });
    expect([plans.length, released]).toEqual([1, []]);
    engine.configure({ ...settings, configuration: changed });
    expect([plans.length, released]).toEqual([2, []]);
    ops((batch) => batch.closed(SMTP, 'closed', [0, 0]));
    expect(released).toEqual([]);
    ops((batch) => batch.closed({ flow: 8, generation: 1 }, 'closed', [0, 0]));
    expect(released).toEqual([1]);
    engine.configure({ ...settings, configuration: EMPTY_CONFIGURATION });
    expect(released).toEqual([1, 2]);
  });
});

test('sessions of a policy whose plan could not be had are refused, and others are not', () => {
  const { ops, texts, engine, settings, fail } = start();
  fail('no memory');
  engine.configure({
    ...settings,
    configuration: {
      ...CONFIGURATION,
      classMaps: [
        ...CONFIGURATION.classMaps.filter(({ name }) => name !== 'LONG'),
        classMap('LONG', 'smtp', 'data-length gt 200'),
      ],
    },
  });
  expect(ops((batch) => batch.opened(SMTP))).toEqual(['end initiator 0 3']);
  expect(ops((batch) => batch.opened({ ...SMTP, flow: 8, protocol: 'pop3' }))[0]).toEqual(OURS);
  expect(texts().join('\n')).toMatch(/^ERROR .*cannot be looked through: no memory\nSESSION_LOST /);
  expect(engine.statistics().refusals).toEqual({ 'engine-error': 1 });
});

test('content is walked through by the plan of the session', () => {
  const { ops, say } = start();
  ops((batch) => batch.opened(SMTP));
  greet(say, 'SIZE');
  for (const [command, answer] of [
    ['MAIL FROM:<a@example.org>', '250 ok'],
    ['RCPT TO:<b@example.org>', '250 ok'],
  ] as const) {
    say('initiator', command);
    say('responder', answer);
  }
  say('initiator', 'DATA');
  expect(say('responder', '354 go on')).toContain('content initiator 1 1');
  const found = ops((batch) => batch.content(SMTP, [{ kind: 'dataLength', over: 100 }]));
  expect(found.at(-1)).toMatch(/^refuse /);
});

test('postern chunking decides about CHUNKING, of rules as of zones', () => {
  const offers = (configuration: Configuration) => {
    const { ops, say } = start(configuration);
    ops((batch) => batch.opened(SMTP));
    return greet(say, 'CHUNKING')[1]?.[0]?.split(' ')[0];
  };
  const inspecting = { postern: { chunking: 'inspect' } } as const;
  expect([offers(CONFIGURATION), offers({ ...CONFIGURATION, ...inspecting })]).toEqual(['mask', 'forward']);
  const classic: Configuration = {
    ...EMPTY_CONFIGURATION,
    rules: [{ name: 'R', protocols: [{ protocol: 'esmtp' }] }],
    interfaces: [{ name: 'any', inspectIn: 'R' }],
  };
  expect([offers(classic), offers({ ...classic, ...inspecting })]).toEqual(['mask', 'forward']);
});

test('what learn records is told with the client', () => {
  const configuration: Configuration = {
    ...CONFIGURATION,
    classMaps: [...CONFIGURATION.classMaps, classMap('TRAP', 'smtp', 'recipient address regex SPAM')],
    policyMaps: [
      ...CONFIGURATION.policyMaps.filter(({ name }) => name !== 'AIC'),
      policyMap('AIC', 'smtp', { TRAP: ['learn sender for 5'] }),
    ],
  };
  const { ops, say, learned } = start(configuration, { maps: ['SPAM'], sets: { recipient: 8 } });
  ops((batch) => batch.opened(SMTP));
  greet(say, 'SIZE');
  say('initiator', 'MAIL FROM:<a@example.org>');
  say('responder', '250 ok');
  say('initiator', 'RCPT TO:<spamtrap@example.org>');
  expect(learned).toEqual([{ sender: 'a@example.org', client: '192.0.2.1', minutes: 5 }]);
});
