import { describe, expect, test } from 'vitest';
import { completionsFor, helpFor } from '../language/complete.ts';
import { readCondition } from '../policy/application/conditions.ts';
import { configGraph } from './config-graphs.ts';
import type { ModeKind } from './draft.ts';
import { parseConfiguration } from './parse-configuration.ts';
import { printConfiguration } from './print-configuration.ts';

/** The lines of application inspection, read and saved in one spelling (cisco-ios 1.4 to 1.9). */

const MAPS = 'parameter-map type regex M\n pattern "x"\n';

function read(header: string, ...lines: readonly string[]) {
  return parseConfiguration(`${MAPS}${header}\n${lines.map((line) => ` ${line}`).join('\n')}`, 'f');
}

function smtp(...matches: readonly string[]) {
  return read('class-map type inspect smtp match-any C', ...matches.map((match) => `match ${match}`));
}

function refusedAt(...matches: readonly string[]) {
  return smtp(...matches).errors.map(({ column, message }) => `${column} ${message}`);
}

describe('conditions of smtp', () => {
  test.each([
    ['protocol smtp', { kind: 'everyConnection' }],
    ['sender address regex M', { kind: 'sender', map: 'M' }],
    ['recipient address regex M', { kind: 'recipient', map: 'M' }],
    ['recipient count gt 25', { kind: 'recipientCount', over: 25 }],
    ['recipient invalid count gt 5', { kind: 'recipientInvalidCount', over: 5 }],
    ['sender learned', { kind: 'senderLearned', domain: false }],
    ['sender learned domain', { kind: 'senderLearned', domain: true }],
    ['client learned', { kind: 'clientLearned' }],
    ['cmd verb ETRN', { kind: 'verb', verb: 'ETRN' }],
    ['cmd verb XEXCH50', { kind: 'verb', verb: 'XEXCH50' }],
    ['cmd line length gt 65535', { kind: 'lineLength', over: 65_535 }],
    ['header length gt 16000', { kind: 'headerLength', over: 16_000 }],
    ['header regex M', { kind: 'header', map: 'M' }],
    ['body regex M', { kind: 'body', map: 'M', decoded: false }],
    ['body regex M decoded', { kind: 'body', map: 'M', decoded: true }],
    ['mime content-type regex M', { kind: 'contentType', map: 'M' }],
    ['mime encoding quoted-printable', { kind: 'encoding', name: 'quoted-printable' }],
    ['mime encoding x-own', { kind: 'encoding', name: 'x-own' }],
    ['reply ehlo 8BITMIME', { kind: 'ehloKeyword', keyword: '8BITMIME' }],
    ['reply ehlo X-OWN', { kind: 'ehloKeyword', keyword: 'X-OWN' }],
    ['data-length gt 4294967295', { kind: 'dataLength', over: 4_294_967_295 }],
  ])('match %s', (line, condition) => {
    const { configuration, errors } = smtp(line);
    expect(errors).toEqual([]);
    const words = configuration.classMaps[0]?.matches[0]?.words ?? [];
    expect(readCondition(words)).toEqual(condition);
    expect(printConfiguration(configuration)).toContain(`\n match ${line}\n`);
    expect(smtp(line, `no match ${line}`.replace('no match ', '')).configuration.classMaps[0]?.matches).toHaveLength(1);
    const gone = read('class-map type inspect smtp match-any C', `match ${line}`, `no match ${line}`);
    expect(gone.configuration.classMaps[0]?.matches).toEqual([]);
  });

  test.each([
    ['cmd-line length gt 512', 'cmd line length gt 512', 1],
    ['ehlo reply 8bitmime', 'reply ehlo 8BITMIME', 1],
    ['mime encoding 7bit', 'mime encoding 7-bit', 1],
    ['mime encoding 8BIT', 'mime encoding 8-bit', 1],
    ['mime encoding uuencode', 'mime encoding x-uuencode', 1],
    ['cmd verb etrn', 'cmd verb ETRN', 0],
    ['reply ehlo etrn', 'reply ehlo ETRN', 0],
    ['mime encoding BASE64', 'mime encoding base64', 0],
    ['header len gt 007', 'header length gt 7', 0],
  ])('match %s is saved as match %s (D-12)', (typed, saved, notices) => {
    const { configuration, notices: told } = smtp(typed);
    expect(printConfiguration(configuration)).toContain(`\n match ${saved}\n`);
    const aliases = told.filter(({ message }) => message === `% notice: read as 'match ${saved}', saved so`);
    expect(aliases).toHaveLength(notices);
    expect(smtp(typed, saved).configuration.classMaps[0]?.matches).toHaveLength(1);
  });

  test('a verb is never read as the beginning of another one', () => {
    for (const verb of ['E', 'MAI', 'STARTTL', 'HEL']) {
      expect(smtp(`cmd verb ${verb}`).configuration.classMaps[0]?.matches).toEqual([{ words: ['cmd', 'verb', verb] }]);
    }
  });

  test.each([
    ['recipient count gt 0', 27],
    ['recipient invalid count gt 65536', 35],
    ['cmd line length gt 0', 27],
    ['header length gt 65536', 25],
    ['data-length gt 0', 23],
    ['data-length gt 4294967296', 23],
    ['header regex', 14],
    ['body regex M encoded', 21],
    ['invalid-command', 8],
  ])('match %s is refused at column', (line, column) => {
    const [first = ''] = refusedAt(line);
    expect(first).toMatch(/^\d+ % (?:Invalid input|Incomplete)/);
    expect(Number.parseInt(first, 10)).toBe(first.includes('Incomplete') ? ` match ${line}`.length + 1 : column);
  });

  test('words of 64 printable characters can stand on the wire, others cannot', () => {
    const message = '% A word to match has at most 64 characters, all of them printable ASCII';
    for (const [line, column] of [
      ['cmd verb', 17],
      ['reply ehlo', 19],
      ['mime encoding', 22],
    ] as const) {
      expect(refusedAt(`${line} ${'x'.repeat(64)}`)).toEqual([]);
      expect(refusedAt(`${line} ${'x'.repeat(65)}`)).toEqual([`${column} ${message}`]);
      expect(refusedAt(`${line} \u00e4`)).toEqual([`${column} ${message}`]);
    }
  });
});

describe('conditions of pop3, imap and layer 3/4', () => {
  test('are read', () => {
    for (const type of ['pop3', 'imap']) {
      const { configuration, errors } = read(
        `class-map type inspect ${type} C`,
        'match invalid-com',
        'match login clear',
      );
      expect(errors).toEqual([]);
      const found = configuration.classMaps[0]?.matches.map(({ words }) => readCondition(words).kind);
      expect(found).toEqual(['invalidCommand', 'clearTextLogin']);
      expect(read(`class-map type inspect ${type} C`, 'match cmd verb X').errors).toHaveLength(1);
    }
    const layer4 = [
      'protocol smtp extended',
      'protocol pop3s',
      'protocol icmp',
      'access-group 0110',
      'access-group name L',
    ];
    const { configuration } = read('class-map type inspect C', ...layer4.map((line) => `match ${line}`));
    expect(configuration.classMaps[0]?.matches.map(({ words }) => words.join(' '))).toEqual(
      layer4.map((line) => line.replace('0110', '110')),
    );
    expect(read('class-map type inspect C', 'match protocol nonsense', 'match access-group 200').errors).toHaveLength(
      2,
    );
  });

  test('names have at most 200 characters', () => {
    for (const header of ['class-map type inspect', 'policy-map type inspect smtp', 'parameter-map type regex']) {
      expect(read(`${header} ${'n'.repeat(200)}`).errors, header).toEqual([]);
      expect(read(`${header} ${'n'.repeat(201)}`, 'description x').errors, header).toHaveLength(1);
    }
  });
});

describe('actions', () => {
  const actions = (type: string, ...lines: readonly string[]) =>
    read(
      `class-map type inspect ${type} C`,
      '!',
      `policy-map type inspect ${type} P`,
      ` class type inspect ${type} C`,
      ...lines,
    );

  test('of the application policies', () => {
    const lines = ['log', 'reset', 'shadow', 'learn sender for 5256000', 'inspect'];
    const { configuration, errors } = actions('smtp', ...lines);
    expect(errors).toEqual([]);
    expect(configuration.policyMaps[0]?.classes[0]?.actions.map((words) => words.join(' '))).toEqual(lines);
    expect(actions('smtp', ...lines, 'learn sender').configuration.policyMaps[0]?.classes[0]?.actions[3]).toEqual([
      'learn',
      'sender',
    ]);
    const undone = actions('smtp', ...lines, 'no learn', 'no shadow', 'no log').configuration.policyMaps[0];
    expect(undone?.classes[0]?.actions).toEqual([['reset'], ['inspect']]);
    expect(actions('smtp', 'learn sender for 0').errors).toHaveLength(1);
    expect(actions('smtp', 'learn sender for 5256001').errors).toHaveLength(1);
    expect(actions('imap', 'shadow', 'reset', 'log').errors).toEqual([]);
  });

  test('of layer 3/4 are taken back by their first word', () => {
    const policy = (...lines: readonly string[]) =>
      read('policy-map type inspect P', 'class class-default', ...lines).configuration.policyMaps[0]?.classes[0]
        ?.actions;
    expect(policy('pass log')).toEqual([['pass', 'log']]);
    expect(policy('inspect default', 'police rate 8000 burst 1000', 'no police', 'no inspect')).toEqual([]);
    expect(policy('drop log', 'no drop', 'inspect')).toEqual([['inspect']]);
  });
});

describe('options of our own', () => {
  test('are kept, printed and taken back', () => {
    const lines = ['postern chunking inspect', 'postern recipient-count message'];
    const { configuration, errors } = parseConfiguration(lines.join('\n'), 'f');
    expect([errors, configuration.postern]).toEqual([[], { chunking: 'inspect', recipientCount: 'message' }]);
    expect(printConfiguration(configuration)).toContain(lines.join('\n'));
    const undone = parseConfiguration([...lines, 'no postern chunking', 'no postern recipient-count'].join('\n'), 'f');
    expect(undone.configuration.postern).toEqual({});
    expect(parseConfiguration('postern chunking pass', 'f').errors).toHaveLength(1);
  });
});

describe('parameter-map type inspect', () => {
  const map = (...lines: readonly string[]) => read('parameter-map type inspect P', ...lines);
  const saved = (...lines: readonly string[]) =>
    map(...lines)
      .configuration.parameterMaps.find(({ kind }) => kind === 'inspect')
      ?.lines.map((words) => words.join(' '));

  test.each([
    ...['alert off', 'audit-trail on', 'dns-timeout 2147483', 'icmp idle-time 1', 'udp idle-time 30'],
    ...['max-incomplete low 2147483647', 'one-minute low 1', 'sessions maximum 2147483647'],
    ...['sessions rate low 1 time 60', 'sessions rate high 2147483647 time 2147483647', 'tcp synwait-time 30'],
    ...['tcp finwait-time 5', 'tcp idle-time 3600', 'tcp max-incomplete host 4294967295'],
    ...['tcp max-incomplete host 60 block-time 35791', 'tcp window-scale-enforcement loose', 'tcp half-open reset off'],
    ...['tcp half-close reset off', 'tcp idle reset off', 'log dropped-packets enable'],
    ...['log summary flows 256 time-interval 30', 'zone-mismatch drop', 'no application-inspect imap'],
  ])('%s', (line) => {
    expect(map(line).errors).toEqual([]);
    expect(saved(line)).toEqual([line]);
    const undo = line.startsWith('no ') ? line.slice(3) : `no ${line}`;
    expect(map(line, undo).errors).toEqual([]);
    expect(saved(line, undo)).toEqual([]);
  });

  test.each([
    ...['dns-timeout 0', 'tcp idle-time 2147484', 'max-incomplete high 0', 'one-minute low 2147483648'],
    ...['tcp max-incomplete host 0', 'tcp max-incomplete host 9 block-time 35792', 'sessions maximum 0', 'alert maybe'],
  ])('%s is refused', (line) => expect(map(line).errors).toHaveLength(1));

  test('what is not enforced is told once', () => {
    const told = (...lines: readonly string[]) => map(...lines).notices.map(({ message }) => message);
    expect(told('sessions rate low 1 time 60', 'sessions rate low 2 time 60', 'zone-mismatch drop')).toEqual([
      "% notice: 'sessions rate low time' of a parameter-map is accepted, not enforced by this version",
      "% notice: 'zone-mismatch drop' of a parameter-map is accepted, not enforced by this version",
    ]);
    expect(told('sessions maximum 5', 'tcp idle-time 60', 'alert on', 'log dropped-packets')).toEqual([]);
  });

  test('global and default are names', () => {
    for (const name of ['global', 'default']) {
      expect(read(`parameter-map type inspect ${name}`, 'log dropped-packets').errors).toEqual([]);
      expect(read('policy-map type inspect P', 'class class-default', `inspect ${name}`).errors).toEqual([]);
    }
    expect(read('policy-map type inspect P', 'class class-default', 'inspect nobody').errors[0]?.message).toBe(
      '% parameter-map type inspect nobody is not defined',
    );
  });

  test('a threshold drags the other one along, and is saved low before high', () => {
    expect(saved('max-incomplete low 800', 'max-incomplete high 1000')).toEqual([
      'max-incomplete low 800',
      'max-incomplete high 1000',
    ]);
    expect(saved('max-incomplete high 500', 'alert on')).toEqual([
      'max-incomplete low 500',
      'max-incomplete high 500',
      'alert on',
    ]);
    expect(saved('one-minute high 500', 'one-minute low 600')).toEqual(['one-minute low 600', 'one-minute high 600']);
    expect(saved('one-minute low 4 high 6', 'no one-minute high')).toEqual(['one-minute low 4']);
    expect(map('max-incomplete low 600', 'max-incomplete high 500').notices.map(({ message }) => message)).toEqual([
      '%Also resetting low threshold from [600] to [500]',
    ]);
    expect(map('max-incomplete high 500').notices[0]?.message).toBe(
      '%Also resetting low threshold from [unlimited] to [500]',
    );
    expect(map('max-incomplete low 500', 'max-incomplete high 500').notices).toEqual([]);
  });
});

describe('parameter-map type regex', () => {
  test('keeps how patterns are read in front of them', () => {
    const { configuration, errors } = read(
      'parameter-map type regex R',
      'pattern "a b "',
      'pattern lo*se',
      'ignore-case',
      'pattern-type regex',
    );
    expect(errors).toEqual([]);
    expect(printConfiguration(configuration)).toContain(
      'parameter-map type regex R\n ignore-case\n pattern-type regex\n pattern "a b "\n pattern "lo*se"\n',
    );
    const undone = read(
      'parameter-map type regex R',
      'pattern "a b "',
      'no pattern "a b "',
      'ignore-case',
      'no ignore-case',
    );
    expect(undone.configuration.parameterMaps[1]?.lines).toEqual([]);
  });
});

describe('a pattern of octets that are no UTF-8', () => {
  test.each([
    ['pattern "gr\xfc\xdfe"', 12],
    ['pattern *gr\xfc*', 12],
  ])('%j is an error where they begin', (line, column) => {
    const text = Buffer.from(`parameter-map type regex R\n ${line}`, 'latin1').toString('utf8');
    const { errors } = parseConfiguration(text, 'f');
    expect(errors.map((error) => `${error.line}:${error.column} ${error.message}`)).toEqual([
      `2:${column + 1} % These octets are not UTF-8`,
    ]);
  });

  test('is none where they are UTF-8', () => {
    expect(read('parameter-map type regex R', 'pattern "gr\u00fc\u00dfe"').errors).toEqual([]);
  });
});

describe('at the prompt', () => {
  const labels = (mode: ModeKind, typed: string) => helpFor(configGraph(mode), typed).map(({ label }) => label);

  test('? lists what may come', () => {
    expect(labels('smtp-class-map', 'match ')).toEqual(
      [
        ...['body', 'client', 'cmd', 'cmd-line', 'data-length', 'ehlo', 'header', 'mime', 'protocol', 'recipient'],
        ...['reply', 'sender', 'starttls'],
      ].sort(),
    );
    expect(labels('smtp-class-map', 'match cmd verb E')).toEqual(['EHLO', 'ETRN', 'EXPN', 'WORD']);
    expect(labels('smtp-class-map', 'match mime encoding ')).toContain('x-uuencode');
    expect(labels('smtp-class-map', 'match body regex M ')).toEqual(['decoded', '<cr>']);
    expect(labels('application-policy-class', '')).toEqual(expect.arrayContaining(['learn', 'mask', 'shadow']));
    expect(labels('global', 'zone-pair security X source ')).toEqual(['ZONE', 'default', 'self']);
    expect(labels('zone-pair', 'service-policy type inspect ')).toEqual(['NAME']);
    expect(labels('interface', 'zone-member security ')).toEqual(['ZONE']);
    expect(labels('global', 'postern chunking ')).toEqual(['inspect', 'mask']);
  });

  test('every word of these modes has a sentence', () => {
    for (const mode of ['smtp-class-map', 'application-policy-class', 'policy-class', 'zone', 'zone-pair'] as const) {
      const without = helpFor(configGraph(mode), '').filter(({ help }) => help === '');
      expect(without, mode).toEqual([]);
    }
    expect(helpFor(configGraph('smtp-class-map'), 'match ').filter(({ help }) => help === '')).toEqual([]);
  });

  test('Tab completes', () => {
    expect(completionsFor(configGraph('smtp-class-map'), 'match cmd verb st')).toEqual(['STARTTLS']);
    expect(completionsFor(configGraph('application-policy-class'), 'sh')).toEqual(['shadow']);
    expect(completionsFor(configGraph('global'), 'zone-')).toEqual(['zone-pair']);
    expect(completionsFor(configGraph('interface'), 'zone')).toEqual(['zone-member']);
  });
});
