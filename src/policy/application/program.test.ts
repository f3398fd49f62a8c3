import { describe, expect, test } from 'vitest';
import { configurationOf, type PolicyText, programOf } from '../../../test/transcripts/application-policy.ts';
import { NO_PATTERNS } from './pattern-sets.ts';
import { compileProgram } from './program.ts';

const maps = { A: ['a'], B: ['b'] };
const program = (classes: PolicyText['classes'], policy: PolicyText['policy'], more: Partial<PolicyText> = {}) =>
  programOf({ maps, classes, policy, ...more });

describe('what a machine overwrites', () => {
  const masked = (classes: PolicyText['classes'], policy: PolicyText['policy']) => {
    const { maskedVerbs, maskedKeywords } = program(classes, policy);
    return [[...maskedVerbs], [...maskedKeywords]];
  };

  test('follows from the first class that decides a line with only this verb or keyword', () => {
    const classes = {
      ANY: ['match-any', 'cmd verb ETRN', 'cmd verb ATRN', 'reply ehlo XFOO'],
      ONE: ['match-all', 'cmd verb VRFY'],
    };
    expect(masked(classes, { ANY: 'mask, log', ONE: 'mask' })).toEqual([['ETRN', 'ATRN', 'VRFY'], ['XFOO']]);
    expect(masked(classes, { ANY: 'log', ONE: 'log' })).toEqual([[], []]);
  });

  test.each([
    ['an earlier class allows it', 'allow', 'mask', []],
    ['an earlier class would only in shadow', 'reset, shadow', 'mask', ['ETRN']],
    ['its own class only would', 'mask, shadow', 'log', []],
    ['its own class refuses anyway', 'mask, reset', 'log', []],
    ['an earlier class does nothing', '', 'mask', ['ETRN']],
    ['an earlier class is inspect alone (D-13)', 'inspect', 'mask', ['ETRN']],
  ])('%s', (_name, first, second, verbs) => {
    const classes = { FIRST: ['match-any', 'cmd verb ETRN'], SECOND: ['match-any', 'cmd verb ETRN'] };
    expect(masked(classes, { FIRST: first, SECOND: second })).toEqual([verbs, []]);
  });

  test('a class that needs more than the verb decides nothing beforehand', () => {
    const classes = {
      LONG: ['match-all', 'cmd verb ETRN', 'cmd line length gt 9'],
      TWO: ['match-all', 'reply ehlo A', 'reply ehlo B'],
      LAST: ['match-any', 'cmd verb ETRN'],
    };
    expect(masked(classes, { LONG: 'allow', TWO: 'mask', LAST: 'mask' })).toEqual([['ETRN'], []]);
  });
});

describe('what POP3 and IMAP machines refuse', () => {
  const refuses = (matches: readonly string[], actions: string) => {
    const compiled = program({ C: matches }, { C: actions }, { protocol: 'pop3' });
    return [compiled.onInvalidCommand, compiled.onClearTextLogin];
  };

  test('is what a class resets by itself', () => {
    const any = ['match-any', 'invalid-command', 'login clear-text'];
    expect(refuses(any, 'reset')).toEqual(['refuse', 'refuse']);
    expect(refuses(any, 'reset, log')).toEqual(['refuse', 'refuse']);
    expect(refuses(any, 'log')).toEqual(['pass', 'pass']);
    expect(refuses(any, 'reset, shadow')).toEqual(['pass', 'pass']);
    expect(refuses(['match-all', 'invalid-command', 'login clear-text'], 'reset')).toEqual(['pass', 'pass']);
    expect(refuses(['match-all', 'login clear-text'], 'reset')).toEqual(['pass', 'refuse']);
  });
});

describe('the content plan', () => {
  test('is absent where no class looks at messages', () => {
    const compiled = program({ C: ['match-any', 'sender address regex A', 'cmd verb X'] }, { C: 'reset' });
    expect(compiled.content).toBeUndefined();
    expect(compiled.refusesContent).toBe(false);
  });

  test('has the sets, lengths and encodings of this policy only', () => {
    const classes = {
      C: ['match-any', 'header regex A', 'header length gt 50', 'header length gt 20', 'data-length gt 9'],
      D: ['match-any', 'body regex B decoded', 'header length gt 50'],
      OTHER: ['match-any', 'body regex A', 'mime encoding base64', 'mime content-type regex B'],
    };
    const configuration = configurationOf({ maps, classes, policy: { C: 'log', D: 'reset', OTHER: '' } });
    const sets = { maps: ['A', 'B'], sets: { header: 7, body: 8, decoded: 9, contentType: 10 } };
    const compiled = compileProgram(configuration, 'P', sets);
    expect(compiled.content).toEqual({
      header: 7,
      decoded: 9,
      encodings: false,
      headerLengths: [20, 50],
      dataLengths: [9],
    });
    expect(compiled.refusesContent).toBe(true);
  });

  test('encodings alone need no set', () => {
    const { content } = program({ C: ['match-any', 'mime encoding base64'] }, { C: 'log' });
    expect(content).toEqual({ encodings: true, headerLengths: [], dataLengths: [] });
  });

  test('a map without patterns is nothing to look for', () => {
    const compiled = program({ C: ['match-any', 'body regex NONE'] }, { C: 'reset' }, { maps: { NONE: [] } });
    expect(compiled.content).toBeUndefined();
  });
});

describe('compileProgram', () => {
  test('knows the actions', () => {
    const { classes } = program({ C: ['match-any', 'protocol smtp'] }, { C: 'log, learn sender for 90, shadow' });
    expect(classes[0]?.actions).toEqual({
      log: true,
      reset: false,
      mask: false,
      allow: false,
      learn: { minutes: 90 },
      shadow: true,
    });
    expect(program({ C: ['match-any', 'protocol smtp'] }, { C: 'learn sender' }).classes[0]?.actions.learn).toEqual({});
  });

  test('throws where the policy or its patterns are missing', () => {
    const configuration = configurationOf({
      maps,
      classes: { C: ['match-any', 'header regex A'] },
      policy: { C: 'log' },
    });
    expect(() => compileProgram(configuration, 'Q', NO_PATTERNS)).toThrow('no application policy Q');
    expect(() => compileProgram(configuration, 'P', NO_PATTERNS)).toThrow('parameter-map A was not compiled');
  });

  test('a class of another type, or that is not there, is passed over', () => {
    const configuration = configurationOf({
      maps,
      classes: { C: ['match-any', 'cmd verb X'] },
      policy: { C: 'log', GONE: 'log' },
    });
    const layer4 = { name: 'C', combine: 'match-any' as const, matches: [{ words: ['protocol', 'smtp'] }] };
    expect(compileProgram(configuration, 'P', NO_PATTERNS).classes.map(({ name }) => name)).toEqual(['C']);
    expect(compileProgram({ ...configuration, classMaps: [layer4] }, 'P', NO_PATTERNS).classes).toEqual([]);
  });
});
