import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMMANDS, type CommandRule, EMPTY_LINE, MASKED, MESSAGE } from './grammar.ts';
import { judgeReply } from './replies.ts';
import { initialSmtpState, type SmtpState } from './state.ts';

function awaiting(...verbs: readonly (string | CommandRule)[]): SmtpState {
  const unanswered = verbs.flatMap((verb) => (typeof verb === 'string' ? (COMMANDS.get(verb) ?? []) : verb));
  return { ...initialSmtpState, unanswered };
}

describe('judgeReply', () => {
  it('takes the oldest command for the one that is answered', () => {
    const reply = judgeReply(awaiting('MAIL', 'RCPT'), '250-ok', true);
    expect(reply).toMatchObject({ kind: 'reply', code: '250', continued: true, text: 'ok', answers: { verb: 'MAIL' } });
  });

  it.each([
    ['DATA', '354 go'],
    ['DATA', '554 no'],
    ['AUTH', '334 '],
    ['AUTH', '235 welcome'],
    ['STARTTLS', '220 go'],
    ['STARTTLS', '454 no'],
    ['NOOP', '250'],
    ['NOOP', '421 bye'],
    ['VRFY', '252 perhaps'],
  ])('lets %s be answered with %s', (verb, line) => expect(judgeReply(awaiting(verb), line, true).kind).toBe('reply'));

  it.each([
    ['DATA', '250 ok'],
    ['DATA', '334 x'],
    ['AUTH', '354 go'],
    ['NOOP', '354 go'],
    ['NOOP', '334 x'],
    ['STARTTLS', '250 ok'],
    ['MAIL', '354 go'],
  ])('does not let %s be answered with %s', (verb, line) => {
    expect(judgeReply(awaiting(verb), line, true)).toEqual({ kind: 'refused', reason: 'unexpected-reply' });
  });

  it('lets nothing but 421 be said unasked', () => {
    expect(judgeReply(awaiting(), '421 bye', true)).toMatchObject({ kind: 'reply', answers: undefined });
    expect(judgeReply(awaiting(), '4', false).kind).toBe('reply');
    expect(judgeReply(awaiting(), '45', false)).toEqual({ kind: 'refused', reason: 'unexpected-reply' });
    expect(judgeReply(awaiting(), '2', false)).toEqual({ kind: 'refused', reason: 'unexpected-reply' });
  });

  it('asks no go-ahead of what was overwritten', () => {
    expect(judgeReply(awaiting(MASKED), '354 go', true)).toEqual({ kind: 'refused', reason: 'unexpected-reply' });
    expect(judgeReply(awaiting(MASKED), '250 whatever', true).kind).toBe('reply');
  });

  it('passes over an empty line that was not answered', () => {
    expect(judgeReply(awaiting(EMPTY_LINE, 'RCPT'), '250 ok', true)).toMatchObject({ answers: { verb: 'RCPT' } });
    expect(judgeReply(awaiting(EMPTY_LINE, 'RCPT'), '500 what', true)).toMatchObject({ answers: EMPTY_LINE });
    expect(judgeReply(awaiting(EMPTY_LINE), '250 ok', true)).toEqual({ kind: 'refused', reason: 'unexpected-reply' });
  });

  it.each(['', '2', '25', '25x ok', '2500', '250\tok', '199 no', '650 no', '250 a\rb', '250 \0', 'hello', ' 250 ok'])(
    'calls %j malformed',
    (line) => expect(judgeReply(awaiting(MESSAGE), line, true)).toEqual({ kind: 'refused', reason: 'invalid-reply' }),
  );

  it('says of the first octets what it says of the line', () => {
    const lines = fc.tuple(fc.constantFrom('250', '354', '334', '421', '5', '22x', '65'), fc.string({ maxLength: 6 }));
    const states = fc.constantFrom(awaiting(), awaiting('DATA'), awaiting('AUTH'), initialSmtpState, {
      ...awaiting('NOOP'),
      replyCode: '250',
    });
    fc.assert(
      fc.property(lines, states, (parts, state) => {
        const line = parts.join('');
        const whole = judgeReply(state, line, true);
        for (let length = 0; length < line.length; length += 1) {
          const head = judgeReply(state, line.slice(0, length), false);
          if (head.kind === 'refused') expect(whole).toEqual(head);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
