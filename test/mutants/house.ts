import { type Guard, guardsOf } from './guard.ts';

/** Guards of the engine in TypeScript, of the control socket and of the configuration (R1 to R17). */

const engine: readonly Guard[] = [
  ...guardsOf(
    'src/engine/session.ts',
    ['src/engine/session.test.ts', 'src/engine/judge.test.ts'],
    [
      [
        'session-partial-leaves-state',
        'a line under way leaves the state as it was (design.md, prefixes)',
        "if (frame.kind !== 'partial')",
        'if (true)',
      ],
    ],
  ),
  ...guardsOf(
    'src/engine/perform.ts',
    ['src/engine/perform.test.ts', 'src/engine/judge.test.ts'],
    [
      [
        'engine-broken-inspector',
        'an inspector that throws has its session reset (what fails, closes)',
        "context.orders.refuseWithReset(session.flow);\n  return { verdict: 'refuse', reason: 'engine-error' };",
        "context.orders.forward(session.flow, 'initiator');\n  return { verdict: 'refuse', reason: 'engine-error' };",
      ],
      [
        'engine-error-quotes-nothing',
        'an error tells where it was thrown, not what it quotes (secrets are never logged)',
        '${error.name} in ${firstFrame(error)}',
        '${error.message}',
      ],
      [
        'engine-refusal-carried-out',
        'a refusal without words is a reset (design.md, refusing well)',
        '} else {\n    context.orders.refuseWithReset(session.flow);',
        "} else {\n    context.orders.forward(session.flow, 'initiator');",
      ],
    ],
  ),
  ...guardsOf(
    'src/engine/judge.ts',
    ['src/engine/judge.test.ts'],
    [
      [
        'engine-lost-orders',
        'orders that do not fit are an error (what fails, closes)',
        'if (orders.lost > 0) throw',
        'if (false) throw',
      ],
      [
        'engine-refused-at-open',
        'a session that is refused as it opens is ended at once (cisco-ios 1.2, max-sessions)',
        '} else if (session.refusedFor === undefined) {',
        '} else if (session !== undefined) {',
        ['src/engine/judge.test.ts', 'src/engine/packet-engine.test.ts', 'src/engine/zones.test.ts'],
      ],
      [
        'engine-stale-generation',
        'an event of a flow that is over is for nobody (event-batch)',
        'return session?.ended === true ? undefined : session;',
        'return session;',
      ],
    ],
  ),
  ...guardsOf(
    'src/engine/session-limits.ts',
    ['src/engine/session-limits.test.ts'],
    [
      [
        'session-limit',
        'no more sessions are open than may be (cisco-ios 1.2)',
        'countSessions(this.#shared, column) <= maximum',
        'true',
      ],
    ],
  ),
];

const SOCKET = 'src/control/server.test.ts';
const control: readonly Guard[] = [
  ...guardsOf(
    'src/control/socket.ts',
    [SOCKET],
    [
      [
        'control-socket-mode',
        'owner and group only talk to the daemon (contract, control socket)',
        'const SOCKET_MODE = 0o660;',
        'const SOCKET_MODE = 0o666;',
      ],
      [
        'control-socket-in-the-way',
        'what is no socket is not removed (contract, control socket)',
        'if (!found.isSocket()) throw',
        'if (false) throw',
      ],
      [
        'control-socket-taken',
        "another daemon's socket is not removed (contract, control socket)",
        'if (await answers(path)) throw',
        'if (false) throw',
      ],
      [
        'control-socket-path',
        'a path that the system would cut is refused (unix(7))',
        'if (Buffer.byteLength(path) > PATH_BYTES_MAX) {',
        'if (false) {',
      ],
    ],
  ),
  ...guardsOf(
    'src/control/request.ts',
    [SOCKET],
    [
      [
        'control-request-size',
        'a request has a budget (limits.md)',
        'if (bytes > CONTROL_REQUEST_BYTES_MAX) {',
        'if (false) {',
      ],
      [
        'control-configure-lines',
        'a configuration sent to the daemon has a bounded number of lines (limits.md)',
        'if (lines.length > CONFIGURE_LINES_MAX) throw',
        'if (false) throw',
      ],
    ],
  ),
  ...guardsOf(
    'src/control/server.ts',
    [SOCKET],
    [
      [
        'control-connections',
        'as many connections to the control socket as are kept (limits.md)',
        'server.maxConnections = CONTROL_CONNECTIONS_MAX;',
        '',
      ],
    ],
  ),
];

const RESTRICTIONS = 'src/commands/restrictions.test.ts';
const ZONES = 'src/commands/zones.test.ts';
const classes: readonly Guard[] = [
  ...guardsOf(
    'src/commands/class-restrictions.ts',
    [RESTRICTIONS],
    [
      [
        'config-r1',
        'R1: a length goes together with a verb only, in match-all (cisco-ios 2)',
        "if (kinds.includes('length')) return kinds.includes('verb') ? undefined : lengthMessage(name);",
        "if (kinds.includes('length')) return undefined;",
      ],
      [
        'config-r2',
        'R2: a verb goes together with a length only, in match-all (cisco-ios 2)',
        'return verbMessage(name);',
        'return undefined;',
      ],
      [
        'config-r1-r2-later',
        'R1, R2: also for a class that becomes match-all (cisco-ios 2)',
        'const message = matchConflict({ ...map, matches: map.matches.slice(0, index) }, words);',
        'const message = undefined as string | undefined;',
      ],
      [
        'config-r4-class',
        'R4: a class that is masked has only what mask can overwrite (cisco-ios 2)',
        "return kindOf(words) === 'verb' || (words[0] === 'reply' && words[1] === 'ehlo');",
        'return true;',
      ],
    ],
  ),
  ...guardsOf(
    'src/commands/policy-restrictions.ts',
    [RESTRICTIONS],
    [
      [
        'config-r4-action',
        'R4: mask is for verbs and EHLO keywords (cisco-ios 2)',
        "if (action !== 'mask') return undefined;",
        'return undefined;',
      ],
      [
        'config-r10',
        'R10: police and service-policy stand beside inspect (cisco-ios 2)',
        "if (!present.includes('inspect')) return inspectMessage(action, entry.name);",
        '',
      ],
      [
        'config-r10-removal',
        'R10: inspect stays while they need it (cisco-ios 2)',
        "return removed === 'inspect' && needing !== undefined ? inspectMessage(needing, entry.name) : undefined;",
        'return undefined;',
      ],
      [
        'config-one-action',
        'inspect, pass and drop exclude each other (cisco-ios 2)',
        'if (EXCLUSIVE.includes(action) && rival !== undefined) {',
        'if (false) {',
      ],
      [
        'config-allow-alone',
        'allow does not stand beside reset or mask (D-14)',
        'if (opposite !== undefined) {',
        'if (false) {',
      ],
      [
        'config-class-default-allows',
        'class-default of an application policy carries nothing out (D-45)',
        "if (entry.name === 'class-default' && CARRIED_OUT.includes(action)) {",
        'if (false) {',
      ],
      [
        'config-smtp-actions',
        'mask and learn are for SMTP (cisco-ios 1.8)',
        "if (SMTP_ONLY.includes(action) && map.protocol !== 'smtp') {",
        'if (false) {',
      ],
      [
        'config-self-actions',
        'a policy of self has no application policy and no rate (cisco-ios 1.10)',
        'if (pair === undefined) return undefined;',
        'return undefined;',
        [RESTRICTIONS, ZONES],
      ],
    ],
  ),
  ...guardsOf(
    'src/commands/zone-restrictions.ts',
    [RESTRICTIONS, ZONES],
    [
      [
        'config-r12-zone',
        'R12: an interface with ip inspect is in no zone (cisco-ios 2)',
        'if (rule === undefined) return undefined;',
        'return undefined;',
      ],
      [
        'config-r12-inspect',
        'R12: an interface in a zone has no ip inspect (cisco-ios 2)',
        'return zone === undefined\n    ? undefined',
        'return true\n    ? undefined',
      ],
      [
        'config-r14',
        'R14: a direction has one zone-pair (cisco-ios 2)',
        'if (other === undefined) return undefined;',
        'return undefined;',
      ],
      [
        'config-self-both',
        'no pair leads from self to self (cisco-ios 1.10)',
        "if (source === 'self' && destination === 'self') {",
        'if (false) {',
      ],
      [
        'config-pair-policy',
        'a pair has one policy (cisco-ios 1.10)',
        'if (pair.policy !== undefined && pair.policy !== policy) {',
        'if (false) {',
      ],
      [
        'config-self-policy',
        'a policy with police or service-policy is not attached to self (cisco-ios 1.10)',
        'const found = map === undefined ? undefined : actionNotForSelf(map);',
        'const found = undefined as ReturnType<typeof actionNotForSelf>;',
      ],
    ],
  ),
];

const ends: readonly Guard[] = [
  ...guardsOf(
    'src/commands/validate.ts',
    ['src/commands/parse-configuration.test.ts', RESTRICTIONS],
    [
      [
        'config-missing-rule',
        'an interface does not name a rule that is not there: all would pass (cisco-ios 1.2)',
        'rule === undefined || names.has(rule)',
        'true',
      ],
    ],
  ),
  ...guardsOf(
    'src/commands/validate-policies.ts',
    [RESTRICTIONS],
    [
      [
        'config-r6',
        'R6: a service-policy stands in a class that matches its protocol (cisco-ios 2)',
        'if (matchesProtocol(names, className, second)) return undefined;',
        'return undefined;',
      ],
      [
        'config-r11',
        'R11: log is no parameter-map of inspect (cisco-ios 2)',
        "if (action === 'inspect' && second !== '' && !names.parameterMaps.has(second)) {",
        'if (false) {',
      ],
      [
        'config-r16',
        'R16: the classes of a policy are of its type (cisco-ios 2)',
        'if (found !== undefined && found.protocol !== map.protocol) {',
        'if (false) {',
      ],
      [
        'config-r17',
        'R17: a service-policy is of the type that is named (cisco-ios 2)',
        'if (policy.protocol !== second) {',
        'if (false) {',
      ],
      [
        'config-missing-class',
        'a policy does not name a class that is not there (cisco-ios 1.8)',
        "if (entry.name !== 'class-default' && found === undefined) {",
        'if (false) {',
      ],
      [
        'config-missing-policy',
        'a class does not name an application policy that is not there (cisco-ios 1.8)',
        'if (policy === undefined) return `% policy-map type inspect ${second} ${name} is not defined`;',
        'if (policy === undefined) return undefined;',
      ],
    ],
  ),
  ...guardsOf(
    'src/commands/validate-zones.ts',
    [ZONES, RESTRICTIONS],
    [
      [
        'config-missing-zone',
        'an interface is in a zone that is there (cisco-ios 1.10)',
        'zone === undefined || known.has(zone) ? []',
        'true ? []',
      ],
      [
        'config-pair-layer4',
        'a zone-pair takes a policy of layer 3/4 (cisco-ios 1.10)',
        'if (map.protocol === undefined) return [];',
        'return [];',
      ],
    ],
  ),
  ...guardsOf(
    'src/commands/validate-classes.ts',
    [RESTRICTIONS, 'src/commands/parse-configuration.test.ts'],
    [
      [
        'config-class-levels',
        'classes in classes have a bounded depth (limits.md)',
        'if (extent.levels > CLASS_NESTING_LEVELS_MAX) return',
        'if (false) return',
      ],
      [
        'config-class-conditions',
        'and a bounded number of conditions (limits.md)',
        'return extent.conditions > CLASS_CONDITIONS_MAX ?',
        'return false ?',
      ],
      [
        'config-class-circle',
        'no class contains itself (cisco-ios 1.6)',
        '...circlesOf(inner, extents).map(',
        '...circlesOf(new Map(), extents).map(',
      ],
      [
        'config-missing-list',
        'a class names an access list that is there (cisco-ios 1.6)',
        'if (list !== undefined) return lists.has(list) ?',
        'if (list !== undefined) return true ?',
      ],
    ],
  ),
];

const inUse: readonly Guard[] = [
  ...guardsOf(
    'src/commands/config-class-map.ts',
    [RESTRICTIONS],
    [
      [
        'config-r13-class',
        'R13: a class that a policy uses stays (cisco-ios 2)',
        '} else if (policy !== undefined) {',
        '} else if (false) {',
      ],
      [
        'config-r13-inner-class',
        'R13: a class that a class uses stays (cisco-ios 2)',
        '} else if (outer !== undefined) {',
        '} else if (false) {',
      ],
    ],
  ),
  ...guardsOf(
    'src/commands/config-parameter-map.ts',
    [RESTRICTIONS],
    [
      [
        'config-r13-parameter-map',
        'R13: a parameter-map in use stays (cisco-ios 2)',
        'if (user !== undefined) {',
        'if (false) {',
      ],
    ],
  ),
  ...guardsOf(
    'src/commands/config-policy-map.ts',
    [RESTRICTIONS],
    [
      [
        'config-r13-policy',
        'R13: a policy that a class uses stays (cisco-ios 2)',
        '} else if (user !== undefined) {',
        '} else if (false) {',
      ],
      [
        'config-r13-policy-pair',
        'R13: a policy that a zone-pair uses stays (cisco-ios 2)',
        '} else if (pair !== undefined) {',
        '} else if (false) {',
      ],
    ],
  ),
  ...guardsOf(
    'src/commands/config-zones.ts',
    [RESTRICTIONS, ZONES],
    [
      [
        'config-r13-zone',
        'R13: a zone that a zone-pair uses stays (cisco-ios 2)',
        '} else if (pair !== undefined) {',
        '} else if (false) {',
      ],
      [
        'config-r13-zone-member',
        'R13: a zone with interfaces stays (cisco-ios 2)',
        'else if (interfaces.some(({ zone }) => zone === name)) {',
        'else if (false) {',
      ],
      [
        'config-r14-self',
        "R14: the router's own zone stays (cisco-ios 2)",
        "if (name === 'self') fail(draft, SELF_MESSAGE, column);",
        'if (false) fail(draft, SELF_MESSAGE, column);',
      ],
    ],
  ),
];

export const HOUSE: readonly Guard[] = [...engine, ...control, ...classes, ...ends, ...inUse];
