import { describe, expect, test } from 'vitest';
import { configurationOf } from '../../../test/transcripts/application-policy.ts';
import { patternOrigin, patternPlanOf } from './patterns.ts';

const text = (id: number, expression: string, caseless = false) => ({ id, expression, caseless });

describe('patternPlanOf', () => {
  const configuration = configurationOf({
    maps: { UNUSED: ['x'], DEALS: ['*deals\\.com', 'spam'], 'MARK/i': ['*UD-421590*'], EMPTY: [], GLOB: ['a*/b'] },
    classes: {
      C: ['match-any', 'sender address regex DEALS', 'header regex DEALS', 'body regex DEALS'],
      D: ['match-any', 'body regex MARK decoded', 'recipient address regex DEALS', 'mime content-type regex GLOB'],
      E: ['match-any', 'header regex EMPTY', 'body regex GLOB', 'cmd verb ETRN'],
      OUTSIDE: ['match-any', 'sender address regex UNUSED'],
    },
    policy: { C: 'log', D: 'reset', E: 'log' },
  });

  test('has a text a pattern for each place where a class matches its map, and only those', () => {
    expect(patternPlanOf(configuration)).toEqual({
      maps: ['DEALS', 'MARK', 'GLOB', 'EMPTY'],
      uses: {
        sender: [text(0, 'deals\\.com$'), text(0, 'spam')],
        header: [text(0, 'deals\\.com$'), text(0, 'spam')],
        body: [text(0, 'deals\\.com'), text(0, 'spam'), text(2, 'a*/b')],
        decoded: [text(1, 'UD-421590', true)],
        recipient: [text(0, 'deals\\.com$'), text(0, 'spam')],
        contentType: [text(2, 'a*/b')],
      },
    });
  });

  test('a map that two classes match in one place is there once', () => {
    const twice = configurationOf({
      maps: { A: ['x'] },
      classes: { C: ['match-any', 'header regex A'], D: ['match-any', 'header regex A'] },
      policy: { C: 'log', D: 'log' },
    });
    expect(patternPlanOf(twice).uses.header).toEqual([text(0, 'x')]);
  });

  test('pattern-type decides how patterns are read', () => {
    const read = (flavour: string) => {
      const base = configurationOf({
        maps: { A: ['a/*'] },
        classes: { C: ['match-any', 'sender address regex A'] },
        policy: { C: 'log' },
      });
      const parameterMaps = base.parameterMaps.map((map) => ({
        ...map,
        lines: [['pattern-type', flavour], ...map.lines],
      }));
      return patternPlanOf({ ...base, parameterMaps }).uses.sender?.[0]?.expression;
    };
    expect(read('auto')).toBe('^a/');
    expect(read('glob')).toBe('^a/');
    expect(read('regex')).toBe('a/*');
  });

  test('a refused text is told by the pattern that was typed', () => {
    const origin = patternOrigin(configuration, 'body', 0);
    expect(origin).toMatchObject({ map: 'DEALS', pattern: '*deals\\.com' });
    // `\.` stands at 6 and is two octets of the expression.
    expect([0, 5, 6, 7].map((column) => origin?.column(column))).toEqual([1, 6, 6, 8]);
    expect(patternOrigin(configuration, 'body', 2)).toMatchObject({ map: 'GLOB', pattern: 'a*/b' });
    expect(patternOrigin(configuration, 'body', 3)).toBeUndefined();
    expect(patternOrigin(configuration, 'decoded', 0)?.column(99)).toBeUndefined();
  });
});
