import { type Guard, guardsOf } from './guard.ts';

/** Guards of application policies and of zones (cisco-ios 1.10, 3.9). */

const INSPECTOR = 'src/policy/application/inspector.test.ts';
const CONTENT = 'src/policy/application/content.test.ts';
const PROGRAM = 'src/policy/application/program.test.ts';
const DIALOGUES = 'test/transcripts/application.test.ts';
const ALL = [INSPECTOR, CONTENT, DIALOGUES];

const evaluation: readonly Guard[] = [
  ...guardsOf('src/policy/application/evaluate.ts', ALL, [
    [
      'policy-class-order',
      'the first class that holds decides (cisco-ios 3.9)',
      'for (const entry of by.program.classes) {',
      'for (const entry of by.program.classes.toReversed()) {',
    ],
    [
      'policy-undecided-class',
      'classes behind one that is not known yet wait (cisco-ios 3.9)',
      'if (entry.actions.shadow) continue;\n      break;',
      'continue;',
    ],
    [
      'policy-shadow',
      'a shadow class takes the place of none (issue 4, shadow)',
      'if (!entry.actions.shadow) return { hits, matched, decided: { entry, condition: found } };',
      'return { hits, matched, decided: { entry, condition: found } };',
    ],
    [
      'policy-match-all',
      'in match-all every condition holds, now or latched (D-46)',
      "return 'no';\n    } else {\n      open = true;",
      'mayComplete ||= false;\n    } else {\n      open = true;',
    ],
    [
      'policy-learn-null-path',
      'nobody learns a bounce (issue 4, learn)',
      "if (learn === undefined || sender === undefined || sender === '') return [];",
      'if (learn === undefined || sender === undefined) return [];',
    ],
    [
      'policy-reset',
      'a class with reset refuses (cisco-ios 3.9)',
      'const refusal = decided?.entry.actions.reset === true ? reasonOf(decided.condition) : undefined;',
      'const refusal = undefined;',
    ],
    [
      'policy-reset-under-way',
      'as soon as the octets tell (cisco-ios 3.9)',
      'if (decided?.entry.actions.reset !== true) return undefined;',
      'return undefined;',
    ],
  ]),
  ...guardsOf('src/policy/application/memory.ts', ALL, [
    [
      'policy-latches-end',
      'what latches for a message ends with it (D-46)',
      'return memory.message === undefined ? memory : { ...memory, message: undefined };',
      'return memory;',
    ],
    [
      'policy-latch-scope',
      'senders, headers and bodies latch for their message only (D-46)',
      'if (isOfConnection(condition)) latched |= condition.bit;',
      'if (true) latched |= condition.bit;',
    ],
    [
      'policy-keyword-latches',
      'EHLO keywords latch until the next greeting (cisco-ios 3.9)',
      'const latched = memory.latched & ~keywordBits;',
      'const latched = memory.latched;',
    ],
    [
      'policy-recipient-count',
      'every recipient of a connection counts (D-41)',
      'recipients: memory.recipients + 1,',
      'recipients: memory.recipients,',
    ],
    [
      'policy-recipient-count-message',
      'or of the message, where so configured (D-41)',
      'recipients: message.recipients + 1 },',
      'recipients: message.recipients },',
    ],
    [
      'policy-recipient-scope',
      'the count of a message is not that of the connection (D-41)',
      "const scope = program.recipientCount === 'connection' ? memory : memory.message;",
      'const scope = memory;',
    ],
    [
      'policy-learn-first-sender',
      'the first sender of a message is the one that is learned (issue 4, learn)',
      'if (message === undefined || message.sender !== undefined) return memory;',
      'if (message === undefined) return memory;',
    ],
  ]),
  ...guardsOf('src/policy/application/occurrence.ts', ALL, [
    [
      'policy-count-over',
      'the event past the count is the one that tells (D-41)',
      'return count.value > count.over && (count.told & condition.bit) === 0n;',
      'return count.value > count.over + 1 && (count.told & condition.bit) === 0n;',
    ],
    [
      'policy-count-once',
      'a count is told once (D-41)',
      'return count.value > count.over && (count.told & condition.bit) === 0n;',
      'return count.value > count.over;',
    ],
    [
      'policy-line-length-early',
      'a line that is too long is refused as soon as that shows (cisco-ios 3.9)',
      "if (line.lengthBytes > condition.over) return 'yes';",
      "if (line.whole && line.lengthBytes > condition.over) return 'yes';",
    ],
    [
      'policy-verb-undecided',
      'a verb is not known before a space or the end (cisco-ios 3.9)',
      "if (line.verb === undefined) return line.whole ? 'no' : 'unknown';",
      "if (line.verb === undefined) return 'no';",
    ],
    [
      'policy-address-undecided',
      'an address is not known before the end of its line (cisco-ios 3.9)',
      "return verb === undefined || verbs.includes(verb) ? 'unknown' : 'no';",
      "return 'no';",
    ],
    ['policy-null-path', 'the null path is nobody learned (issue 4, learn)', "if (address === '') return false;", ''],
    [
      'policy-unknown-encoding',
      'unknown is every encoding without a name in IOS (cisco-ios 1.7)',
      "if (name === 'unknown') return known === undefined;",
      '',
    ],
    [
      'policy-decoded-apart',
      'a pattern for decoded text is not one for text as it is (issue 4, body regex decoded)',
      'condition.decoded === occurrence.decoded && ',
      '',
    ],
  ]),
  ...guardsOf('src/policy/application/told-facts.ts', ALL, [
    [
      'policy-connection-first',
      'the event of the connection comes before the first line (cisco-ios 3.9)',
      'if (connects) told.connect();',
      '',
    ],
    [
      'policy-unclear-address',
      'an address that servers read in different ways is refused where a class looks at addresses (cisco-ios 3.9)',
      "if (unclear === 'refuse') this.refusal = 'unclear-address';",
      "if (unclear === 'refuse') return;",
      ['src/policy/application/unclear-address.test.ts'],
    ],
    [
      'policy-refused-recipients',
      'every recipient that the server refuses counts (D-42)',
      'refusedRecipients: this.memory.refusedRecipients + 1 }',
      'refusedRecipients: this.memory.refusedRecipients }',
    ],
    [
      'policy-shortest-head',
      'a line is refused for its shortest refused beginning, however it was split (design.md, principle 4)',
      'for (let refusedAt = lengthBytes; refusedAt - passed > 1; ) {',
      'for (let refusedAt = 0; refusedAt - passed > 1; ) {',
      [INSPECTOR, DIALOGUES, 'test/transcripts/application.properties.test.ts'],
    ],
  ]),
  ...guardsOf(
    'src/policy/application/static-decisions.ts',
    [PROGRAM, INSPECTOR, DIALOGUES],
    [
      [
        'policy-shadow-masks-nothing',
        'a shadow class masks nothing (issue 4, shadow)',
        'if (actions.shadow) return false;',
        '',
      ],
    ],
  ),
];

const inspector = guardsOf('src/policy/application/inspector.ts', ALL, [
  [
    'policy-pending-refusal',
    "a server's line that is refused refuses the client's next octets (cisco-ios 3.9)",
    "if (state.refusal !== undefined && frame.from === 'initiator') {",
    'if (false) {',
  ],
  [
    'policy-inner-refusal',
    "the machine's own refusal stands (design.md, principle 5)",
    'if (step.actions.some(isRefusal)) return onInnerRefusal(state, frame, step, policy);',
    '',
  ],
  [
    'policy-refusal-of-head',
    'a line under way that is refused does not go ahead (cisco-ios 3.9)',
    'if (refused === undefined) return { state, actions: step.actions };',
    'if (refused !== undefined || refused === undefined) return { state, actions: step.actions };',
  ],
  [
    'policy-head-of-whole',
    'a whole line is refused for what its beginning would have been (design.md, principle 4)',
    'if (early !== undefined) return { state, actions: refusing(state, policy, early.refusal, early.actions) };',
    '',
    [INSPECTOR, DIALOGUES, 'test/transcripts/application.properties.test.ts'],
  ],
  [
    'policy-end-put-aside',
    'the end of a message waits for what its content comes to (issue 4, put aside)',
    'if (dataEnds && walking) {',
    'if (false) {',
  ],
  [
    'policy-content-limit',
    'content that could not be read is refused (content-limit)',
    "if (program.refusesContent) return { state, actions: refusing(state, policy, 'content-limit', told, why) };",
    '',
  ],
  [
    'policy-content-refused',
    'content that a class resets is refused (cisco-ios 3.9)',
    'if (judged.refusal !== undefined) return { state, actions: refusing(state, policy, judged.refusal, told) };',
    '',
  ],
  [
    'policy-chunk-in-burst',
    'a chunk in one burst with recipients that have the session refused stays behind (cisco-ios 3.9, RFC 3030)',
    "if (from === 'initiator' || state.refusal === undefined || chunkAt < 0) return step;",
    'return step;',
    ['src/policy/application/awaited-recipients.test.ts'],
  ],
  [
    'policy-recipient-in-chunks',
    'a RCPT behind a chunk says that the server threw that chunk away, or may have (RFC 3030 4.2)',
    "kind === 'sender' || kind === 'recipient');",
    "kind === 'sender');",
    ['src/policy/application/nested-chunks.test.ts'],
  ],
  [
    'policy-chunk-behind-refusal',
    'a chunk that was announced is thrown away before the words (RFC 3030 2)',
    'return { state, actions: [...chunk, ...refusing(state, policy, refusal, told.actions)] };',
    'return { state, actions: refusing(state, policy, refusal, told.actions) };',
  ],
  [
    'policy-refused-line-told',
    'what a refused line came to is counted and told (issue 4, counters)',
    'return [...dropOf(state), ...told, refusal];',
    'return [...dropOf(state), refusal];',
  ],
]);

const programs: readonly Guard[] = [
  ...guardsOf(
    'src/policy/application/program.ts',
    [PROGRAM, INSPECTOR, DIALOGUES],
    [
      [
        'policy-masked-verbs',
        'verbs of classes that mask are masked (cisco-ios 3.9)',
        "maskedVerbs: new Set(verbs.filter((verb) => isMasked({ kind: 'verb', verb }))),",
        'maskedVerbs: new Set<string>(),',
      ],
      [
        'policy-masked-keywords',
        'EHLO keywords of classes that mask are masked (cisco-ios 3.9)',
        "maskedKeywords: new Set(keywords.filter((keyword) => isMasked({ kind: 'ehloKeyword', keyword }))),",
        'maskedKeywords: new Set<string>(),',
      ],
      [
        'policy-clear-text-login',
        'a login in clear that a class resets is refused as soon as the octets tell (cisco-ios 3.10)',
        "onClearTextLogin: decides({ kind: 'clearTextLogin' })?.reset === true ? 'refuse' : 'pass',",
        "onClearTextLogin: 'pass',",
      ],
      [
        'policy-invalid-command',
        'an invalid command that a class resets is refused as soon as the octets tell (cisco-ios 3.10)',
        "onInvalidCommand: decides({ kind: 'invalidCommand' })?.reset === true ? 'refuse' : 'pass',",
        "onInvalidCommand: 'pass',",
      ],
      [
        'policy-uncompiled-map',
        'a policy whose patterns are not there is not run without them (never an off switch)',
        'if (used !== undefined && mapIndex < 0) throw',
        'if (false) throw',
      ],
      [
        'policy-unclear-learned',
        'and where somebody learns senders (ours, learn sender)',
        'return resetting.length + learning.length > 0 ?',
        'return resetting.length > 0 ?',
        ['src/policy/application/unclear-address.test.ts'],
      ],
      [
        'policy-refuses-content',
        'a policy that resets for content refuses what could not be read (content-limit)',
        'refusesContent: mayRefuse(isContent),',
        'refusesContent: false,',
        [PROGRAM, CONTENT],
      ],
    ],
  ),
  ...guardsOf(
    'src/engine/application.ts',
    ['test/transcripts/starttls-policy.test.ts'],
    [
      [
        'policy-masked-starttls',
        'a policy that masks STARTTLS in the answer to EHLO masks the command, too (cisco-ios 3.9)',
        "? 'mask' : 'allow',\n    chunking",
        "? 'allow' : 'allow',\n    chunking",
      ],
    ],
  ),
  ...guardsOf(
    'src/mail/envelope-form.ts',
    ['src/mail/envelope-form.test.ts'],
    [
      [
        'mail-clear-form',
        'only what every server reads alike is clear (RFC 5321 4.1.2)',
        'if (!BRACKETED.test(argument) && !BARE.test(argument)) return false;',
        '',
      ],
      [
        'mail-other-readings',
        'user%host and host!user are read as servers do (Postfix, Sendmail)',
        'found.push(`${user}@${host}`);',
        '',
      ],
    ],
  ),
  ...guardsOf(
    'src/native/content-facts.ts',
    ['src/native/content-facts.test.ts'],
    [
      [
        'content-records-whole',
        'records of content that are cut off are an error, not nothing (what fails, closes)',
        'if (end > octets.length) throw',
        'if (false) throw',
      ],
    ],
  ),
];

const ZONES = 'src/policy/zone-classify.test.ts';
const zones = guardsOf(
  'src/policy/zone-classify.ts',
  [ZONES, 'src/engine/zones.test.ts'],
  [
    [
      'zone-class-default',
      'what no class takes is dropped (cisco-ios 1.10)',
      "return dropped({ zonePair: pair.name, policy: policy.name, className: 'class-default' }, false);",
      "return { kind: 'pass', log: false };",
    ],
    [
      'zone-class-without-action',
      'a class without an action drops (cisco-ios 5.8)',
      "return dropped(place, has('drop')?.[1] === 'log');",
      "return { kind: 'pass', place, log: false };",
    ],
    [
      'zone-no-pair',
      'between two zones without a pair nothing passes (cisco-ios 1.10)',
      "if (from === to) return { kind: 'pass', log: false };\n  return { kind: 'drop', reason: 'no-zone-pair', log: false };",
      "return { kind: 'pass', log: false };",
    ],
    [
      'zone-not-zoned',
      'between a zone and no zone nothing passes (cisco-ios 1.10)',
      "return { kind: 'drop', reason: 'not-zoned', log: false };",
      "return { kind: 'unzoned' };",
    ],
    [
      'zone-self',
      'a pair with self filters what is for the router (cisco-ios 1.10)',
      'if (pair !== undefined) return decideByPair(',
      'if (pair !== undefined && from !== SELF_ZONE && to !== SELF_ZONE) return decideByPair(',
    ],
    [
      'zone-self-without-pair',
      'the router is reached where no pair says otherwise (cisco-ios 1.10)',
      "if (from === SELF_ZONE || to === SELF_ZONE) return { kind: 'unzoned' };",
      '',
    ],
    [
      'zone-direction',
      'a pair holds for its direction only (cisco-ios 1.10)',
      'pair.source === source && pair.destination === destination',
      '[source, destination].includes(pair.source) && [source, destination].includes(pair.destination)',
    ],
    [
      'zone-match-all',
      'in match-all every condition holds (cisco-ios 1.6)',
      "map.combine === 'match-all' ? fitting.length < found.length : fitting.length === 0",
      'fitting.length === 0',
    ],
    [
      'zone-access-group',
      'a list that is not there permits nothing to a class (cisco-ios 1.6)',
      'const permits = list !== undefined && listPermits(',
      'const permits = list === undefined || listPermits(',
    ],
    [
      'zone-class-circle',
      'classes that name each other end the walk (cisco-ios 1.6)',
      ' || within.includes(name)) return undefined;',
      ') return undefined;',
    ],
    [
      'zone-service-policy',
      "a class's application policy is of the flow's protocol (R16)",
      "words[0] === 'service-policy' && words[1] === protocol",
      "words[0] === 'service-policy'",
    ],
  ],
);

export const POLICY: readonly Guard[] = [...evaluation, ...inspector, ...programs, ...zones];
