import { describe, expect, test } from 'vitest';
import { applyLines, parseConfiguration } from './parse-configuration.ts';

/** The restrictions of cisco-ios 2, each from every side it can be broken from, and beside it what is not refused. */

function refused(...lines: readonly string[]): readonly string[] {
  return parseConfiguration(lines.join('\n'), 'f').errors.map(
    ({ line, column, message }) => `${line}:${column} ${message}`,
  );
}

const VERB_AND_LENGTH = [
  'class-map type inspect smtp match-all C',
  ' match cmd verb MAIL',
  ' match cmd line length gt 256',
];
const LENGTH = (name: string) =>
  `%Error: 'match cmd line length' can be combined only with 'match cmd verb' in match-all class-map ${name}`;
const VERB = (name: string) =>
  `%Error: 'match cmd verb' can be combined only with 'match cmd line length' in match-all class-map ${name}`;
const MASK = (name: string) =>
  `%Error: action 'mask' requires a class with only 'match cmd verb' or 'match reply ehlo' (class ${name})`;

describe('R1 to R3: what stands beside a verb or a length in match-all', () => {
  const all = (...matches: readonly string[]) =>
    refused('class-map type inspect smtp match-all C', ...matches.map((match) => ` match ${match}`));

  test('the two of them go together, in either order', () => {
    expect(all('cmd verb MAIL', 'cmd line length gt 256')).toEqual([]);
    expect(all('cmd line length gt 256', 'cmd verb MAIL')).toEqual([]);
  });

  test.each([
    'header length gt 4096',
    'protocol smtp',
    'reply ehlo ETRN',
    'recipient count gt 5',
    'data-length gt 5',
    'mime encoding base64',
    'client learned',
  ])('%s joins neither, whichever comes first', (other) => {
    expect(all('cmd line length gt 256', other)).toEqual([`3:2 ${LENGTH('C')}`]);
    expect(all(other, 'cmd line length gt 256')).toEqual([`3:2 ${LENGTH('C')}`]);
    expect(all('cmd verb MAIL', other)).toEqual([`3:2 ${VERB('C')}`]);
    expect(all(other, 'cmd verb MAIL')).toEqual([`3:2 ${VERB('C')}`]);
    expect(all('header length gt 16000', 'recipient count gt 6', other)).toEqual([]);
  });

  test('a second length or a second verb is not what goes with the first', () => {
    expect(all('cmd line length gt 256', 'cmd line length gt 512')).toEqual([`3:2 ${LENGTH('C')}`]);
    expect(all('cmd verb MAIL', 'cmd verb RCPT')).toEqual([`3:2 ${VERB('C')}`]);
    expect(all('cmd verb MAIL', 'cmd verb mail')).toEqual([]);
  });

  test('match-all is the default, match-any has no limits', () => {
    expect(refused('class-map type inspect smtp C', ' match cmd verb A', ' match cmd verb B')).toHaveLength(1);
    const any = ['class-map type inspect smtp match-any C', ' match cmd verb A', ' match header length gt 5'];
    expect(refused(...any, ' match cmd line length gt 6', ' match cmd line length gt 7')).toEqual([]);
  });

  test('a class that becomes match-all is held against them, one that becomes match-any is not', () => {
    const any = ['class-map type inspect smtp match-any C', ' match cmd verb A', ' match header length gt 5'];
    expect(refused(...any, 'class-map type inspect smtp match-all C', ' match nonsense')).toEqual([
      `4:39 ${VERB('C')}`,
    ]);
    expect(refused(...any, 'class-map type inspect smtp C', ' match cmd verb B')).toEqual([]);
    expect(refused(...VERB_AND_LENGTH, 'class-map type inspect smtp match-any C', ' match cmd verb B')).toEqual([]);
  });
});

describe('R4: mask', () => {
  const policy = (name: string, ...actions: readonly string[]) => [
    'policy-map type inspect smtp P',
    ` class type inspect smtp ${name}`,
    ...actions.map((action) => `  ${action}`),
  ];

  test('needs a class of verbs and EHLO keywords only', () => {
    const maskable = ['class-map type inspect smtp match-any C', ' match cmd verb BDAT', ' match reply ehlo CHUNKING'];
    expect(refused(...maskable, ...policy('C', 'log', 'mask'))).toEqual([]);
    expect(refused(...maskable, ' match header length gt 5', ...policy('C', 'log', 'mask'))).toEqual([
      `8:3 ${MASK('C')}`,
    ]);
    expect(refused(...VERB_AND_LENGTH, ...policy('C', 'mask'))).toEqual([`6:3 ${MASK('C')}`]);
    expect(refused(...policy('class-default', 'mask'))).not.toEqual([]);
  });

  test('is held against what is added to the class later, in whichever policy it is masked', () => {
    const lines = [
      ...['class-map type inspect smtp match-any C', ' match cmd verb BDAT'],
      ...policy('C', 'mask'),
      'class-map type inspect smtp C',
    ];
    expect(refused(...lines, ' match cmd line length gt 5')).toEqual([`7:2 ${MASK('C')}`]);
    expect(refused(...lines, ' match reply ehlo CHUNKING')).toEqual([]);
    expect(
      refused(...lines, ...policy('C', 'no mask'), 'class-map type inspect smtp C', ' match header length gt 5'),
    ).toEqual([]);
  });

  test('is held against a class that comes after the policy', () => {
    const lines = [...policy('LATER', 'mask'), 'class-map type inspect smtp match-any LATER'];
    expect(refused(...lines, ' match cmd verb BDAT', ' match header length gt 5')).toEqual([`6:2 ${MASK('LATER')}`]);
  });

  test('and learning are for smtp, the others for all', () => {
    const pop = (action: string) =>
      refused(
        ...['class-map type inspect pop3 C', ' match login clear-text'],
        ...['policy-map type inspect pop3 P', ' class type inspect pop3 C', `  ${action}`],
      );
    for (const action of ['mask', 'learn sender for 5']) {
      expect(pop(action)[0]).toBe(
        `5:3 %Error: action '${action.split(' ')[0]}' is for policy-maps of type smtp, not pop3 (class C)`,
      );
    }
    for (const action of ['log', 'reset', 'shadow', 'allow']) expect(pop(action), action).toEqual([]);
  });
});

describe('R6, R16, R17: an application policy hangs below its protocol', () => {
  const smtpPolicy = ['policy-map type inspect smtp L7', 'policy-map type inspect pop3 POP'];
  const below = (matches: readonly string[], service: string) => [
    ...smtpPolicy,
    'class-map type inspect match-any C',
    ...matches.map((match) => ` match ${match}`),
    ...['policy-map type inspect TOP', ' class type inspect C', '  inspect', `  service-policy ${service}`],
  ];

  test.each([['protocol smtp'], ['protocol smtp extended'], ['protocol esmtp'], ['protocol tcp', 'protocol smtp']])(
    'with %s it may',
    (...matches) => expect(refused(...below(matches, 'smtp L7'))).toEqual([]),
  );

  test('nested classes count, and others do not', () => {
    const nested = ['class-map type inspect IN', ' match protocol smtp', ...below(['class-map IN'], 'smtp L7')];
    expect(refused(...nested)).toEqual([]);
    const message = "%Error: service-policy smtp L7 requires 'match protocol smtp' in class C";
    expect(refused(...below(['protocol tcp'], 'smtp L7'))).toEqual([`8:23 ${message}`]);
  });

  test('taking the protocol out of the class later is refused too', () => {
    const { configuration } = parseConfiguration(below(['protocol smtp', 'protocol tcp'], 'smtp L7').join('\n'), 'f');
    const taken = (line: string) =>
      applyLines(configuration, ['class-map type inspect C', line]).errors.map(({ message }) => message);
    expect(taken('no match protocol smtp')[0]).toContain("requires 'match protocol smtp' in class C");
    expect(taken('no match protocol tcp')).toEqual([]);
  });

  test('the policy is of the type that the line says', () => {
    expect(refused(...below(['protocol smtp', 'protocol pop3'], 'pop3 POP'))).toEqual([]);
    expect(refused(...below(['protocol smtp'], 'smtp POP'))[0]).toContain(
      'service-policy smtp requires a policy-map of type smtp: POP is of type pop3',
    );
    expect(refused(...below(['protocol smtp'], 'smtp TOP'))[0]).toContain('TOP is of layer 3/4');
    expect(refused(...below(['protocol smtp'], 'smtp NONE'))[0]).toContain('smtp NONE is not defined');
  });

  test('a class is of the type of its policy', () => {
    const classes = [
      'class-map type inspect smtp S',
      ' match cmd verb X',
      'class-map type inspect L',
      ' match protocol smtp',
    ];
    const inSmtp = ['policy-map type inspect smtp P', ' class type inspect smtp'];
    expect(refused(...classes, inSmtp[0] ?? '', `${inSmtp[1]} S`)).toEqual([]);
    expect(refused(...classes, inSmtp[0] ?? '', `${inSmtp[1]} L`)).toEqual([
      '6:26 %Error: class-map L is of layer 3/4, not of type smtp like policy-map P',
    ]);
    expect(refused(...classes, 'policy-map type inspect P', ' class type inspect S')[0]).toContain(
      'class-map S is of type smtp, not of layer 3/4 like policy-map P',
    );
    expect(refused(inSmtp[0] ?? '', ' class type inspect pop3 S', '  reset')).toEqual([
      '2:21 %Error: policy-map P of type smtp takes classes of this type only, not S',
    ]);
  });
});

describe('R10, R11: actions of layer 3/4', () => {
  const actions = (...lines: readonly string[]) =>
    refused(
      ...['class-map type inspect C', ' match protocol smtp', 'policy-map type inspect smtp L7'],
      ...['policy-map type inspect P', ' class type inspect C', ...lines.map((line) => `  ${line}`)],
    );
  const POLICE = 'police rate 128000 burst 8000';

  test('police and service-policy need inspect, before and after', () => {
    expect(actions('inspect', POLICE, 'service-policy smtp L7')).toEqual([]);
    expect(actions(POLICE)).toEqual(['6:3 %Error: police requires inspect in class C']);
    expect(actions('service-policy smtp L7')).toEqual(['6:3 %Error: service-policy requires inspect in class C']);
    expect(actions('pass', POLICE)).toEqual(['7:3 %Error: police requires inspect in class C']);
    expect(actions('inspect', POLICE, 'no inspect')).toEqual(['8:3 %Error: police requires inspect in class C']);
    expect(actions('inspect', POLICE, 'no police', 'no inspect', 'drop')).toEqual([]);
  });

  test('inspect, pass and drop exclude each other', () => {
    for (const [first, second] of [
      ['inspect', 'drop'],
      ['drop', 'pass'],
      ['pass log', 'inspect'],
    ] as const) {
      const [action, rival] = [second, first.split(' ')[0]];
      expect(actions(first, second)).toEqual([
        `7:3 %Error: action '${action}' cannot be combined with action '${rival}' in class C`,
      ]);
      expect(actions(first, `no ${first}`, second)).toEqual([]);
    }
    expect(actions('drop', 'drop log')).toEqual([]);
  });

  test('log stands behind drop and pass only', () => {
    expect(actions('inspect log')[0]).toContain("'log' can be combined only with action 'drop' or 'pass'");
    expect(actions('log')).toHaveLength(1);
    expect(actions('pass log')).toEqual([]);
    expect(
      refused('parameter-map type inspect log', 'policy-map type inspect P', ' class class-default', '  inspect log'),
    ).toEqual([]);
  });

  test('rates and bursts have their ranges', () => {
    expect(actions('inspect', 'police rate 7999 burst 8000')).toHaveLength(1);
    expect(actions('inspect', 'police rate 8000 burst 999')).toHaveLength(1);
    expect(actions('inspect', 'police rate 2000000000 burst 512000000')).toEqual([]);
  });

  test('allow is not beside what it forbids', () => {
    const smtp = (...lines: readonly string[]) =>
      refused(
        ...['class-map type inspect smtp C', ' match cmd verb X', 'policy-map type inspect smtp P'],
        ...[' class type inspect smtp C', ...lines.map((line) => `  ${line}`)],
      );
    expect(smtp('allow', 'reset')[0]).toContain("action 'reset' cannot be combined with action 'allow' in class C");
    expect(smtp('mask', 'allow')[0]).toContain("action 'allow' cannot be combined with action 'mask' in class C");
    expect(smtp('allow', 'log')).toEqual([]);
    expect(smtp('log', 'reset', 'shadow', 'learn sender for 60', 'inspect')).toEqual([]);
  });

  test('class-default of an application policy allows: what it would not do is refused', () => {
    const inDefault = (action: string) =>
      refused('policy-map type inspect smtp P', ' class class-default', `  ${action}`);
    expect(inDefault('reset')[0]).toContain("action 'reset' has no effect in class class-default of policy-map P");
    expect(inDefault('allow')).toEqual([]);
    expect(inDefault('log')).toEqual([]);
  });
});

test('a policy names classes that are there, whatever their type', () => {
  const found = (type: string) => refused(`policy-map type inspect ${type}P`, ` class type inspect ${type}NONE`);
  expect(found('')).toEqual([expect.stringMatching(/^2:\d+ % class-map NONE is not defined$/)]);
  expect(found('smtp ')).toEqual([expect.stringMatching(/^2:\d+ % class-map NONE is not defined$/)]);
});

describe('R13: what is in use stays', () => {
  const maps = [
    ...['parameter-map type regex R', ' pattern "x"', 'parameter-map type inspect I'],
    ...['class-map type inspect smtp match-any S', ' match body regex R decoded'],
    ...['policy-map type inspect smtp L7', ' class type inspect smtp S', '  log'],
    ...[
      'class-map type inspect match-any IN',
      ' match protocol smtp',
      'class-map type inspect C',
      ' match class-map IN',
    ],
    ...['policy-map type inspect TOP', ' class type inspect C', '  inspect I', '  service-policy smtp L7'],
    ...['zone security a', 'zone security b', 'zone-pair security Z source a destination b'],
    ' service-policy type inspect TOP',
  ];

  test.each([
    ['no parameter-map type regex R', 'parameter-map R is in use by class-map S'],
    ['no parameter-map type inspect I', 'parameter-map I is in use by policy-map TOP'],
    ['no class-map type inspect smtp S', 'class-map S is in use by policy-map L7'],
    ['no class-map type inspect match-any IN', 'class-map IN is in use by class-map C'],
    ['no class-map type inspect C', 'class-map C is in use by policy-map TOP'],
    ['no policy-map type inspect smtp L7', 'policy-map L7 is in use by policy-map TOP'],
    ['no policy-map type inspect TOP', 'policy-map TOP is in use by zone-pair Z'],
    ['no zone security a', 'zone a is in use by zone-pair Z'],
  ])('%s', (line, message) => {
    const column = line.lastIndexOf(' ') + 2;
    expect(refused(...maps, line)).toEqual([`21:${column} %Error: ${message}`]);
  });

  test('and goes in the order of its use', () => {
    const away = [
      ...['no zone-pair security Z', 'no zone security a', 'no zone security b', 'no policy-map type inspect TOP'],
      ...['no policy-map type inspect smtp L7', 'no class-map type inspect C', 'no class-map type inspect IN'],
      ...['no class-map type inspect smtp S', 'no parameter-map type regex R', 'no parameter-map type inspect I'],
    ];
    const { configuration, errors } = parseConfiguration([...maps, ...away].join('\n'), 'f');
    expect(errors).toEqual([]);
    expect([configuration.classMaps, configuration.policyMaps, configuration.parameterMaps]).toEqual([[], [], []]);
  });

  test('a map of another type is not meant', () => {
    expect(refused('class-map type inspect smtp S', 'no class-map type inspect S')).toHaveLength(1);
    expect(refused('policy-map type inspect P', 'no policy-map type inspect smtp P')).toHaveLength(1);
    expect(refused('no class-map type inspect NONE', 'no policy-map type inspect NONE')).toEqual([]);
  });
});

describe('R15: patterns', () => {
  const pattern = (text: string) => refused('parameter-map type regex R', ` pattern "${text}"`);

  test('have 240 characters', () => {
    expect(pattern('x'.repeat(240))).toEqual([]);
    expect(pattern('x'.repeat(241))).toEqual(['2:251 % A pattern has 1 to 240 characters']);
    expect(pattern('')).toEqual(['2:11 % A pattern has 1 to 240 characters']);
  });

  test('are 64 a map, one that is there already not counted again', () => {
    const lines = Array.from({ length: 64 }, (_, index) => ` pattern "p${index}"`);
    expect(refused('parameter-map type regex R', ...lines, ' pattern "p0"')).toEqual([]);
    expect(refused('parameter-map type regex R', ...lines, ' pattern "one more"')).toEqual([
      '66:10 % A parameter map has at most 64 patterns',
    ]);
  });

  test('are wrong at a column', () => {
    expect(pattern('ab(cd')).toEqual(["2:13 % A '(' is not closed"]);
    expect(pattern('a**b')).toEqual(["2:13 % Nothing to repeat before '*'"]);
    expect(refused('parameter-map type regex R', ' pattern x[')).toEqual(["2:11 % A '[' is not closed"]);
    expect(refused('parameter-map type regex R', ' pattern "x')).toEqual(['2:10 % The quote is not closed']);
  });
});

describe('what a class names', () => {
  test.each([
    [['class-map type inspect C', ' match access-group 101'], '2:21 % access list 101 is not defined'],
    [['class-map type inspect C', ' match access-group name A'], '2:26 % access list A is not defined'],
    [['class-map type inspect C', ' match class-map X'], '2:18 % class-map X is not defined'],
    [
      ['class-map type inspect smtp C', ' match body regex X decoded'],
      '2:19 % parameter-map type regex X is not defined',
    ],
    [
      ['class-map type inspect smtp C', ' match mime content-type regex X'],
      '2:32 % parameter-map type regex X is not defined',
    ],
    [
      ['class-map type inspect smtp S', 'class-map type inspect C', ' match class-map S'],
      '3:18 %Error: class-map C of layer 3/4 cannot contain class-map S of type smtp',
    ],
    [['class-map type inspect C', ' match class-map C'], '2:18 %Error: class-map C cannot contain itself'],
  ])('%j is told', (lines, message) => expect(refused(...lines)).toEqual([message]));

  test('and is empty is told of in a notice', () => {
    const told = (...lines: readonly string[]) =>
      parseConfiguration(lines.join('\n'), 'f').notices.flatMap(({ line, column, message }) =>
        message.includes(' by it') ? [`${line}:${column} ${message}`] : [],
      );
    const pattern = ['class-map type inspect smtp C', ' match header regex R', 'parameter-map type regex R'];
    expect(told(...pattern, ' ignore-case')).toEqual([
      '2:21 % notice: parameter-map R has no patterns, nothing is in class-map C by it',
    ]);
    expect(told(...pattern, ' pattern "x"')).toEqual([]);
    const list = ['class-map type inspect C', ' match access-group name A', 'ip access-list standard A'];
    expect(told(...list, ' remark nobody')).toEqual([
      '2:26 % notice: access list A has no entries, nothing is in class-map C by it',
    ]);
    expect(told(...list, ' permit any')).toEqual([]);
  });

  test('may come later', () => {
    expect(
      refused(
        ...['class-map type inspect C', ' match access-group 101', ' match class-map D'],
        ...['class-map type inspect D', ' match protocol smtp', 'access-list 101 permit ip any any'],
      ),
    ).toEqual([]);
  });

  const contains = (outer: string, ...inner: readonly string[]) => [
    `class-map type inspect match-any ${outer}`,
    ...inner.map((name) => ` match class-map ${name}`),
  ];

  test('classes do not contain each other in a circle, and only those in the circle are told', () => {
    const lines = [...contains('TOP', 'A'), ...contains('A', 'B', 'LEAF'), ...contains('B', 'A'), ...contains('LEAF')];
    expect(refused(...lines)).toEqual([
      '4:18 %Error: class-map B contains class-map A and cannot be contained in it',
      '7:18 %Error: class-map A contains class-map B and cannot be contained in it',
    ]);
    expect(
      refused(...contains('TOP', 'A', 'B'), ...contains('A', 'C'), ...contains('B', 'C'), ...contains('C')),
    ).toEqual([]);
  });

  test('classes are within each other to a depth, and a long chain is no trouble', () => {
    const chain = (length: number) =>
      Array.from({ length }, (_, index) => contains(`C${index}`, ...(index === 0 ? [] : [`C${index - 1}`]))).flat();
    expect(refused(...chain(16))).toEqual([]);
    expect(refused(...chain(17))).toEqual(['33:18 %Error: class-map C16 holds more than 16 levels of class-maps']);
    expect(refused(...chain(2_000))).toHaveLength(1);
  });

  test('classes within each other do not add up to more conditions than can be walked', () => {
    const fan = (levels: number) =>
      Array.from({ length: levels }, (_, level) =>
        ['a', 'b'].flatMap((side) =>
          contains(`C${level}${side}`, ...(level === 0 ? [] : [`C${level - 1}a`, `C${level - 1}b`])),
        ),
      ).flat();
    expect(refused(...fan(11))).toEqual([]);
    const found = refused(...fan(14), ...contains('TOP', 'C13a'));
    expect(found).toHaveLength(2);
    expect(found[0]).toContain('%Error: class-map C12a holds more than 4096 conditions');
  });
});
