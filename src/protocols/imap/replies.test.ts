import { describe, expect, it } from 'vitest';
import { canBeGreeting, capabilitiesIn, literalIn, readResponse } from './replies.ts';

it.each([
  ['* OK hi', { kind: 'untagged', status: 'OK' }],
  ['* bye', { kind: 'untagged', status: 'BYE' }],
  ['* 3 EXISTS', { kind: 'untagged', status: undefined }],
  ['+', { kind: 'continuation' }],
  ['+ b64', { kind: 'continuation' }],
  ['a OK', { kind: 'tagged', tag: 'a', status: 'OK' }],
  ['A no way', { kind: 'tagged', tag: 'A', status: 'NO' }],
  ['a OKAY', { kind: 'malformed' }],
  ['a PREAUTH', { kind: 'malformed' }],
  ['+OK', { kind: 'malformed' }],
  ['*', { kind: 'malformed' }],
  ['', { kind: 'malformed' }],
  [' OK', { kind: 'malformed' }],
])('%j reads as %j', (text, response) => expect(readResponse(text)).toEqual(response));

describe('a greeting under way', () => {
  it.each(['', '*', '* ', '* o', '* OK', '* OK ', '* OK [X', '* PREAUTH hi', '* bye x'])('%j may be one', (text) => {
    expect(canBeGreeting(text)).toBe(true);
  });
  it.each(['+', '*O', '* OKX', '* PREAUTHX', '* NO ', '220 '])('%j may not', (text) => {
    expect(canBeGreeting(text)).toBe(false);
  });
});

describe('capabilities', () => {
  it.each([
    ['* CAPABILITY IMAP4rev1 LITERAL+', ['IMAP4rev1', 'LITERAL+']],
    ['* OK [CAPABILITY IMAP4rev1 IDLE] ready', ['IMAP4rev1', 'IDLE']],
    ['a ok [capability X] done', ['X']],
  ])('%j', (text, names) => expect(capabilitiesIn(text)).toEqual(names));

  it.each(['* OK ready CAPABILITY X', '* LIST () "/" "[CAPABILITY X]"', 'a NO [CAPABILITY X] no'])(
    'are not in %j',
    (text) => expect(capabilitiesIn(text)).toBeUndefined(),
  );
});

describe('literals in responses', () => {
  it.each([
    ['* ID ("x" {18}', 'start', { bytes: 18, within: 'data' }],
    ['* 1 FETCH (BINARY[1] ~{7}', 'start', { bytes: 7, within: 'data' }],
    ['* OK [X {5}', 'start', { bytes: 5, within: 'code' }],
    ['a NO [X {5}', 'start', { bytes: 5, within: 'code' }],
    [' "y" {3}', 'data', { bytes: 3, within: 'data' }],
    [' y {3}', 'code', { bytes: 3, within: 'code' }],
    ['* OK [X] see {5}', 'start', undefined],
    ['* OK see {5}', 'start', undefined],
    ['a OK {5}', 'start', undefined],
    ['+ {5}', 'start', undefined],
    [' y] see {3}', 'code', undefined],
    ['* ID ("x" "{18}"', 'start', undefined],
    ['* ID ("x" {5+}', 'start', undefined],
    ['* ID ({4294967296}', 'start', 'oversized'],
  ] as const)('%j from %s: %j', (text, within, literal) => expect(literalIn(text, within)).toEqual(literal));
});
