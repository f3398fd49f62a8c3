import { describe, expect, it } from 'vitest';
import type { Action, Frame } from '../../inspect/inspector.ts';
import { IMAP_LITERALS_A_COMMAND_MAX, UNANSWERED_COMMANDS_MAX } from '../../limits.ts';
import { COMMANDS } from './grammar.ts';
import { imap } from './machine.ts';
import type { ImapPolicy, ImapState } from './state.ts';
import { readTag, TAG_BYTES_MAX } from './tag.ts';

const policy: ImapPolicy = { secureLogin: false, reset: false, invalidCommand: 'refuse', hostname: 'fw.example' };
const secure: ImapPolicy = { ...policy, secureLogin: true };

/** Plays whole lines, `C:` or `S:` each, and counted runs as `C# 5`, and gives the last step. */
function play(transcript: string, under = policy): { state: ImapState; actions: readonly Action[] } {
  let step: { state: ImapState; actions: readonly Action[] } = { state: imap.initial, actions: [] };
  for (const row of transcript.trim().split('\n')) {
    const [, who, mark, text = ''] = /^\s*([CS])([:#]) ?(.*)$/.exec(row) ?? [];
    const from = who === 'C' ? 'initiator' : 'responder';
    const frame: Frame =
      mark === '#' ? { kind: 'countedEnd', from, bytes: Number(text) } : { kind: 'line', from, text, end: 'crlf' };
    step = imap.step(step.state, frame, under);
  }
  return step;
}

const partial = (text: string): Frame => ({ kind: 'partial', from: 'initiator', text });
const reasonOf = (actions: readonly Action[]): string =>
  actions.map((action) => (action.kind === 'refuse' ? action.reason : '')).join('');
const wordsOf = (actions: readonly Action[]): string =>
  actions.map((action) => (action.kind === 'refuse' && action.how === 'words' ? action.words : '')).join('');

describe('an answer that nobody asked for', () => {
  const begun = (transcript: string, text: string) =>
    reasonOf(imap.step(play(transcript).state, { kind: 'partial', from: 'responder', text }, policy).actions);

  it('is refused where no tag begins so, before a command is sent that it would seem to answer', () => {
    expect(begun('S: * OK', 'a')).toBe('unexpected-reply');
    expect(begun('S: * OK\nC: a1 NOOP\nS: a1 OK', 'a1')).toBe('unexpected-reply');
    expect(begun('S: * OK\nC: a1 NOOP', 'b')).toBe('unexpected-reply');
    expect(begun('S: * OK\nC: a1 NOOP', 'a ')).toBe('unexpected-reply');
    expect(begun('S: * OK\nC: a1 NOOP', 'a12')).toBe('unexpected-reply');
  });

  it.each(['a', 'a1', 'a1 ', 'a1\r', 'b', '*', '* B', '+', '+ g'])('is not one where %j may be an answer', (text) => {
    expect(begun('S: * OK\nC: a1 NOOP\nC: b LOGIN {2}', text)).toBe('');
  });

  it('is not one behind the response to ID, which is answered before its line is whole', () => {
    expect(begun('S: * OK\nS: * ID NIL', 'a')).toBe('');
  });
});

describe('what is refused, in words', () => {
  it('says BYE first, then answers the command', () => {
    expect(wordsOf(play('S: * OK\nC: a1 XYZZY').actions)).toBe(
      '* BYE fw.example refused: the command is not one of the protocol\r\n' +
        'a1 BAD the command is not one of the protocol\r\n',
    );
  });

  it('tells the client that a login may succeed under TLS', () => {
    const { actions } = play('S: * OK\nC: a1 LOGIN mrose tanstaaf', secure);
    expect(actions[0]).toEqual({
      kind: 'alert',
      alert: { id: 'IMAP_NON_SECURE_LOGIN', text: 'LOGIN mrose', mechanism: 'LOGIN' },
    });
    expect(wordsOf(actions)).toMatch(/^\* BYE [^\r]+\r\na1 NO \[PRIVACYREQUIRED\] [^\r]+\r\n$/);
  });

  it.each(['+ LOGIN u p', '{1+}', 'x'.repeat(100), ''])('answers no tag where %j has none', (text) => {
    expect(wordsOf(play(`S: * OK\nC: ${text}`).actions)).toMatch(/^\* BYE [^\r]+\r\n$/);
  });

  it('can be the server greeting', () => {
    expect(wordsOf(play('C: a LOGIN u p').actions)).toMatch(/^\* BYE /);
  });

  it.each([
    'a LOGIN "mr ose" tanstaaf',
    'a LOGIN tanstaaf',
    'a AUTHENTICATE PLAIN dGFuc3RhYWY=',
    'a LOGIN\ttanstaaf',
    'a LOGINtanstaaf x',
  ])('never tells the secret of %j', (text) => {
    const told = JSON.stringify(play(`S: * OK\nC: ${text}`, secure).actions);
    expect(told).not.toMatch(/tanstaaf|dGFu/i);
  });
});

describe('the table', () => {
  const argumentsOf: Readonly<Record<string, string>> = {
    LOGIN: ' u p',
    AUTHENTICATE: ' PLAIN',
    ID: ' NIL',
  };

  it.each([...COMMANDS])('%s passes where it belongs and nowhere else', (verb, rule) => {
    const outcome = reasonOf(play(`S: * OK [CAPABILITY LANGUAGE]\nC: a ${verb}${argumentsOf[verb] ?? ''}`).actions);
    expect(outcome).toBe(rule.allowedIn.includes('notAuthenticated') ? '' : 'command-out-of-state');
  });

  it.each([...COMMANDS])('%s passes after authentication', (verb) => {
    expect(play(`S: * OK\nC: l LOGIN u p\nS: l OK\nC: a ${verb} x`).actions[0]).toEqual({ kind: 'forward' });
  });
});

/** The greeting of a server that takes literals unasked. */
const OFFERING = 'S: * OK [CAPABILITY IMAP4rev1 LITERAL+]\n';

describe('frames that the protocol did not ask for', () => {
  const { state } = play('S: * OK');
  it.each<Frame>([
    { kind: 'countedEnd', from: 'initiator', bytes: 3 },
    { kind: 'countedEnd', from: 'responder', bytes: 3 },
    { kind: 'dataEnd', from: 'initiator', bytes: 3 },
    { kind: 'endOfDataLookAlike', from: 'initiator' },
    { kind: 'tlsStart', from: 'initiator', wellFormed: true },
  ])('$kind from the $from', (frame) => {
    const step = imap.step(state, frame, policy);
    expect(step.state).toBe(state);
    expect(reasonOf(step.actions)).toBe('unexpected-frame');
  });

  it('a line while the client has to wait', () => {
    expect(reasonOf(play('S: * OK\nC: a STARTTLS\nC: b NOOP').actions)).toBe('plaintext-after-starttls');
    expect(reasonOf(play('S: * OK\nC: a LOGIN {2}\nC: u p').actions)).toBe('unexpected-frame');
    expect(reasonOf(play(`${OFFERING}C: a LOGIN {2+}\nC: u p`).actions)).toBe('unexpected-frame');
  });

  it('a run of another length than the literal', () => {
    expect(reasonOf(play(`${OFFERING}C: a LOGIN {2+}\nC# 3`).actions)).toBe('unexpected-frame');
    expect(reasonOf(play(`${OFFERING}C: a LOGIN {2+}\nC# 2`).actions)).toBe('');
  });
});

describe('a line under way', () => {
  it.each([
    ['a LOGI', ''],
    ['a LOGIN', 'cleartext-login'],
    ['a LOGO', ''],
    ['a AUTHENTICATE PLAI', ''],
    ['a AUTHENTICATE PLAIN', 'cleartext-login'],
    ['a ID', ''],
    ['a IDL', ''],
    ['a IDLE', 'command-out-of-state'],
    ['a SELEC', ''],
    ['a X', 'invalid-command'],
    ['a  ', 'invalid-command'],
    ['{', 'invalid-command'],
    ['a ID (', ''],
    ['a ID ((', 'invalid-arguments'],
    ['a ID ("x" {5', ''],
    ['a ID ("x" {5x', 'invalid-literal'],
    ['a NOOP\r', ''],
    ['a NOOP\rx', 'control-character'],
  ])('%j', (text, reason) => {
    const { state } = play('S: * OK');
    const step = imap.step(state, partial(text), secure);
    expect(step.state).toBe(state);
    expect(reasonOf(step.actions)).toBe(reason);
  });

  it('is judged as the rest of its command behind a literal', () => {
    const { state } = play(`${OFFERING}C: a ID ("x" {5+}\nC# 5`);
    expect(reasonOf(imap.step(state, partial(')'), policy).actions)).toBe('');
    expect(reasonOf(imap.step(state, partial('b NOOP'), policy).actions)).toBe('invalid-arguments');
  });
});

describe('bounds', () => {
  const commands = (count: number): string => Array.from({ length: count }, (_, i) => `C: a${i} NOOP`).join('\n');

  it('keeps so many commands unanswered and no more', () => {
    const { state } = play(`S: * OK\n${commands(UNANSWERED_COMMANDS_MAX)}`);
    expect(state.at === 'NOT_AUTHENTICATED' && state.unanswered).toHaveLength(UNANSWERED_COMMANDS_MAX);
    expect(reasonOf(play(`S: * OK\n${commands(UNANSWERED_COMMANDS_MAX + 1)}`).actions)).toBe('too-many-unanswered');
    expect(reasonOf(play(`S: * OK\n${commands(UNANSWERED_COMMANDS_MAX)}\nS: a7 OK\nC: b NOOP`).actions)).toBe('');
  });

  it('takes so many literals in a command and no more', () => {
    const literals = (count: number): string => `C: a ID ("x" {1+}\n${'C# 1\nC:  "x" {1+}\n'.repeat(count - 1)}`;
    expect(reasonOf(play(`${OFFERING}${literals(IMAP_LITERALS_A_COMMAND_MAX)}`).actions)).toBe('');
    expect(reasonOf(play(`${OFFERING}${literals(IMAP_LITERALS_A_COMMAND_MAX + 1)}`).actions)).toBe('invalid-literal');
  });

  it('takes tags of bounded length', () => {
    expect(readTag(`${'a'.repeat(TAG_BYTES_MAX)} `, false).kind).toBe('tag');
    expect(readTag('a'.repeat(TAG_BYTES_MAX), false).kind).toBe('growing');
    expect(readTag('a'.repeat(TAG_BYTES_MAX + 1), false).kind).toBe('offence');
  });
});

it('says where a session stands', () => {
  expect(imap.stage(imap.initial)).toBe('greeting');
  expect(imap.stage(play('S: * OK').state)).toBe('not-authenticated');
  expect(imap.stage(play('S: * OK\nC: a AUTHENTICATE PLAIN').state)).toBe('sasl');
  expect(imap.stage(play('S: * OK\nC: a STARTTLS\nS: a OK').state)).toBe('starttls');
  expect(imap.stage(play('S: * OK\nC: a LOGIN u p\nS: a OK').state)).toBe('authenticated');
  expect(imap.stage(play('S: * PREAUTH\nC: a LOGOUT').state)).toBe('ended');
  expect(imap.stage(play('S: * BYE').state)).toBe('closed');
});
