import { describe, expect, it } from 'vitest';
import type { Action, Frame } from '../../inspect/inspector.ts';
import { UNANSWERED_COMMANDS_MAX } from '../../limits.ts';
import { COMMANDS } from './grammar.ts';
import { pop3 } from './machine.ts';
import type { Pop3Policy, Pop3State } from './state.ts';

const policy: Pop3Policy = { secureLogin: false, reset: false, invalidCommand: 'refuse', hostname: 'fw.example' };
const secure: Pop3Policy = { ...policy, secureLogin: true };

/** Plays whole lines, `C:` or `S:` each, and gives the last step. */
function play(transcript: string, under = policy): { state: Pop3State; actions: readonly Action[] } {
  let step: { state: Pop3State; actions: readonly Action[] } = { state: pop3.initial, actions: [] };
  for (const row of transcript.trim().split('\n')) {
    const [, who, text = ''] = /^\s*([CS]): ?(.*)$/.exec(row) ?? [];
    step = pop3.step(step.state, line(who === 'C' ? 'initiator' : 'responder', text), under);
  }
  return step;
}

const line = (from: 'initiator' | 'responder', text: string): Frame => ({ kind: 'line', from, text, end: 'crlf' });
const partial = (text: string): Frame => ({ kind: 'partial', from: 'initiator', text });
const reasonOf = (actions: readonly Action[]): string =>
  actions.map((action) => (action.kind === 'refuse' ? action.reason : '')).join('');

describe('what is refused, in words', () => {
  it('says why to the client, and that trying again is of no use', () => {
    expect(play('S: +OK\nC: XYZZY').actions).toEqual([
      { kind: 'alert', alert: { id: 'POP3_INVALID_COMMAND', text: 'XYZZY' } },
      {
        kind: 'refuse',
        reason: 'invalid-command',
        how: 'words',
        words: '-ERR [SYS/PERM] fw.example refused: the command is not one of the protocol\r\n',
      },
    ]);
  });

  it('tells the administrator who tried to log in and how, and never the secret', () => {
    const { actions } = play('S: +OK\nC: USER mrose', { ...secure, reset: true });
    expect(actions).toEqual([
      { kind: 'alert', alert: { id: 'POP3_NON_SECURE_LOGIN', text: 'USER mrose', mechanism: 'USER/PASS' } },
      { kind: 'refuse', reason: 'cleartext-login', how: 'reset' },
    ]);
    expect(JSON.stringify(play('S: +OK\nC: PASS tanstaaf', secure).actions)).not.toContain('tanstaaf');
    expect(JSON.stringify(play('S: +OK\nC: AUTH PLAIN AHUxAHBhc3M=', secure).actions)).not.toContain('AHUx');
  });
});

describe('an answer that nobody asked for', () => {
  const begun = (transcript: string, text: string) =>
    reasonOf(pop3.step(play(transcript).state, { kind: 'partial', from: 'responder', text }, policy).actions);

  it('is refused at its first octet, before a command is sent that it would seem to answer', () => {
    expect(begun('S: +OK', '+')).toBe('unexpected-reply');
    expect(begun('S: +OK\nC: NOOP\nS: +OK', '+O')).toBe('unexpected-reply');
    expect(begun('S: +OK\nC: AUTH PLAIN\nS: +', '+')).toBe('unexpected-reply');
  });

  it('is not one where something waits, in a list, or where a server leaves', () => {
    expect(begun('S: +OK\nC: NOOP', '+')).toBe('');
    expect(begun('S: +OK\nC: CAPA\nS: +OK', '+')).toBe('');
    expect(begun('S: +OK', '-E')).toBe('');
  });
});

describe('the table', () => {
  const argumentsOf = (count: number): string => ' 1'.repeat(count);

  it.each([...COMMANDS])('%s passes where it belongs and nowhere else', (verb, rule) => {
    const digest = verb === 'APOP' ? ` u ${'0'.repeat(32)}` : argumentsOf(rule.argumentCount[0]);
    const outcome = reasonOf(play(`S: +OK\nC: ${verb}${digest}`).actions);
    expect(outcome).toBe(rule.allowedIn.includes('AUTHORIZATION') ? '' : 'command-out-of-state');
  });

  it.each([...COMMANDS].filter(([, rule]) => rule.allowedIn.includes('AUTHORIZATION') && !rule.restOfLine))(
    '%s takes no more than its arguments',
    (verb, rule) => {
      const { actions } = play(`S: +OK\nC: ${verb} NTLM${argumentsOf(rule.argumentCount[1])}`);
      expect(reasonOf(actions)).toMatch(/^invalid-(arguments|sasl-response)$/);
    },
  );

  it.each([...COMMANDS].filter(([, rule]) => rule.cleartextLogin))('%s is refused by secure-login', (verb) => {
    expect(reasonOf(play(`S: +OK\nC: ${verb} x`, secure).actions)).toBe('cleartext-login');
    expect(reasonOf(play(`S: +OK\nC: ${verb} x`).actions)).toBe('');
  });
});

describe('frames that the protocol did not ask for', () => {
  const authorization = play('S: +OK').state;
  it.each<Frame>([
    { kind: 'countedEnd', from: 'initiator', bytes: 3 },
    { kind: 'dataEnd', from: 'initiator', bytes: 3 },
    { kind: 'endOfDataLookAlike', from: 'initiator' },
    { kind: 'tlsStart', from: 'initiator', wellFormed: true },
  ])('$kind', (frame) => {
    const step = pop3.step(authorization, frame, policy);
    expect(step.state).toBe(authorization);
    expect(reasonOf(step.actions)).toBe('unexpected-frame');
  });

  it('a line while the client has to wait', () => {
    expect(reasonOf(play('S: +OK\nC: STLS\nC: CAPA').actions)).toBe('plaintext-after-starttls');
    expect(reasonOf(play('S: +OK\nC: PASS p\nC: STAT').actions)).toBe('unexpected-frame');
  });

  it('a server that says hello out of turn', () => {
    const waiting = play('S: +OK\nC: STLS\nS: +OK').state;
    const step = pop3.step(waiting, { kind: 'tlsStart', from: 'responder', wellFormed: true }, policy);
    expect(reasonOf(step.actions)).toBe('unexpected-frame');
  });
});

describe('a line under way', () => {
  it.each([
    ['USE', ''],
    ['USER', 'cleartext-login'],
    ['PAS', ''],
    ['PASS', 'cleartext-login'],
    ['AUTH PLAI', ''],
    ['AUTH PLAIN', 'cleartext-login'],
    ['AUTH CRAM-MD5', ''],
    ['RET', ''],
    ['RETR', 'command-out-of-state'],
    ['X', 'invalid-command'],
    ['CAPA\r', ''],
    ['CAPA\rX', 'control-character'],
  ])('%j', (text, reason) => {
    const { state } = play('S: +OK');
    const step = pop3.step(state, partial(text), secure);
    expect(step.state).toBe(state);
    expect(reasonOf(step.actions)).toBe(reason);
  });
});

describe('bounds', () => {
  it('keeps so many commands unanswered and no more', () => {
    const script = `S: +OK\n${'C: CAPA\n'.repeat(UNANSWERED_COMMANDS_MAX)}`;
    const { state } = play(script);
    expect(state.at === 'AUTHORIZATION' && state.unanswered).toHaveLength(UNANSWERED_COMMANDS_MAX);
    expect(reasonOf(play(`${script}C: CAPA`).actions)).toBe('too-many-unanswered');
    expect(reasonOf(play(`${script}S: -ERR\nC: CAPA`).actions)).toBe('');
  });

  it('has room for as many legal commands as one likes (POP-49)', () => {
    expect(reasonOf(play(`S: +OK\n${'C: CAPA\nS: +OK\nS: X\nS: .\n'.repeat(300)}C: NOOP`).actions)).toBe('');
  });

  it('keeps nothing of a listing', () => {
    const before = play('S: +OK\nC: CAPA\nS: +OK\nS: X').state;
    const after = play(`S: +OK\nC: CAPA\nS: +OK\n${'S: X\n'.repeat(1000)}`).state;
    expect(after).toEqual(before);
  });

  it('takes 255 octets of a command, and more only of AUTH', () => {
    expect(reasonOf(play(`S: +OK\nC: USER ${'a'.repeat(250)}`).actions)).toBe('');
    expect(reasonOf(play(`S: +OK\nC: USER ${'a'.repeat(251)}`).actions)).toBe('line-too-long');
    expect(reasonOf(play(`S: +OK\nC: AUTH XOAUTH2 ${'a'.repeat(2000)}`).actions)).toBe('');
  });
});

it('says where a session stands', () => {
  expect(pop3.stage(pop3.initial)).toBe('greeting');
  expect(pop3.stage(play('S: +OK').state)).toBe('authorization');
  expect(pop3.stage(play('S: +OK\nC: AUTH PLAIN').state)).toBe('sasl');
  expect(pop3.stage(play('S: +OK\nC: STLS\nS: +OK').state)).toBe('starttls');
  expect(pop3.stage(play('S: +OK\nC: PASS p\nS: +OK').state)).toBe('transaction');
  expect(pop3.stage(play('S: +OK\nC: PASS p\nS: +OK\nC: QUIT').state)).toBe('ended');
  expect(pop3.stage(play('S: -ERR').state)).toBe('closed');
});
