import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Action, Frame, Side, Step } from '../../inspect/inspector.ts';
import { UNANSWERED_COMMANDS_MAX } from '../../limits.ts';
import { smtp } from './machine.ts';
import { defaultSmtpPolicy, type SmtpPolicy } from './policy.ts';
import type { SmtpState } from './state.ts';

const line = (from: Side, text: string): Frame => ({ kind: 'line', from, text, end: 'crlf' });

/** Plays `C: ...` and `S: ...` rows and answers the last step. */
function play(rows: readonly string[], policy: SmtpPolicy = defaultSmtpPolicy): Step<SmtpState> {
  let last: Step<SmtpState> = { state: smtp.initial, actions: [] };
  for (const row of rows) {
    last = smtp.step(last.state, line(row.startsWith('C') ? 'initiator' : 'responder', row.slice(3)), policy);
  }
  return last;
}

const kinds = ({ actions }: Step<SmtpState>): readonly string[] => actions.map((action) => action.kind);

function refusalOf({ actions }: Step<SmtpState>): Action | undefined {
  return actions.find((action) => action.kind === 'refuse');
}

const greeted = ['S: 220 mx.example', 'C: EHLO x', 'S: 250 mx.example'];

describe('the queue of unanswered commands', () => {
  it('makes the client wait when it is full, and refuses nothing', () => {
    const recipients = Array.from({ length: UNANSWERED_COMMANDS_MAX }, (_, n) => `C: RCPT TO:<u${n}@mx.example>`);
    expect(kinds(play([...greeted, ...recipients.slice(1)]))).toEqual(['forward']);
    const full = play([...greeted, ...recipients]);
    expect(full.actions).toEqual([{ kind: 'forward' }, { kind: 'pause', side: 'initiator' }]);
    const drained = smtp.step(full.state, line('responder', '250 ok'), defaultSmtpPolicy);
    expect(drained.actions).toEqual([{ kind: 'forward' }, { kind: 'resume', side: 'initiator' }]);
  });

  it('does not release a client that waits for the answer to DATA', () => {
    const rows = [...greeted, 'C: MAIL FROM:<a@b.example>', 'C: DATA', 'S: 250 ok'];
    expect(kinds(play(rows))).toEqual(['forward']);
    expect(kinds(play([...rows, 'S: 354 go']))).toEqual(['forward', 'frameAs', 'resume']);
  });
});

describe('a line that was judged at its CR and goes on behind it', () => {
  const chunks: SmtpPolicy = { ...defaultSmtpPolicy, chunking: 'allow' };
  const offered = ['S: 220 mx.example', 'C: EHLO x', 'S: 250-mx.example', 'S: 250 CHUNKING'];
  it.each([
    ['as another line', [...offered, 'C: NOOP'], 'NOOP\rx', {}, 'control-character'],
    ['though it announced a chunk', [...offered, 'C: BDAT 7 LAST'], 'BDAT 7 LAST\r\r', {}, 'control-character'],
    [
      'under line-endings strict',
      [...offered, 'C: BDAT 7 LAST'],
      'BDAT 7 LAST\r\r',
      { lineEndings: 'strict' },
      'bare-carriage-return',
    ],
    ['before its answer', [...offered, 'C: DATA'], 'DATA\r\r', {}, 'control-character'],
  ] as const)('%s', (_how, rows, text, overrides, reason) => {
    const policy = { ...chunks, ...overrides };
    const step = smtp.step(play(rows, policy).state, { kind: 'partial', from: 'initiator', text }, policy);
    expect(refusalOf(step)).toMatchObject({ reason, how: 'words' });
  });

  it('is no line where none may come', () => {
    const { state } = play([...offered, 'C: BDAT 7 LAST'], chunks);
    const step = smtp.step(state, { kind: 'partial', from: 'initiator', text: 'x' }, chunks);
    expect(refusalOf(step)).toMatchObject({ reason: 'unexpected-frame' });
  });
});

describe('what an alert quotes of an illegal command', () => {
  it('is 32 characters of its verb at most', () => {
    const { actions } = play([...greeted, `C: ${'Q'.repeat(100)} x`]);
    const alert = { id: 'SMTP_INVALID_COMMAND', text: 'Q'.repeat(32), lengthBytes: 102 };
    expect(actions).toContainEqual({ kind: 'alert', alert });
  });
});

describe('a look-alike of the end of data under line-endings tolerant', () => {
  const tolerant: SmtpPolicy = { ...defaultSmtpPolicy, lineEndings: 'tolerant' };
  const rows = [...greeted, 'C: MAIL FROM:<a@b.example>', 'S: 250 ok', 'C: DATA', 'S: 354 go'];
  const found = (mendable: boolean, policy: SmtpPolicy): Step<SmtpState> =>
    smtp.step(play(rows, policy).state, { kind: 'endOfDataLookAlike', from: 'initiator', mendable }, policy);

  it('loses the octet that tells it, where one octet does', () => {
    expect(kinds(found(true, tolerant))).toEqual(['mask', 'forward', 'alert']);
  });

  it('is refused where one octet does not do it, and under any other policy', () => {
    for (const step of [found(false, tolerant), found(true, defaultSmtpPolicy)]) {
      expect(refusalOf(step)).toMatchObject({ reason: 'end-of-data-look-alike', how: 'words' });
    }
  });
});

describe('refusals', () => {
  it('come in whole lines under our name with a permanent code', () => {
    const policy = { ...defaultSmtpPolicy, hostname: 'mail.example' };
    const refusal = refusalOf(play([...greeted, 'C: NOOP a\0'], policy));
    expect(refusal).toMatchObject({ reason: 'control-character', how: 'words' });
    const words = refusal?.kind === 'refuse' && refusal.how === 'words' ? refusal.words : '';
    expect(words).toMatch(/^5\d\d 5\.\d\.\d mail\.example refused: [^\r\n]+\r\n$/);
  });

  it.each<Frame>([
    { kind: 'dataEnd', from: 'initiator', bytes: 5 },
    { kind: 'endOfDataLookAlike', from: 'initiator' },
    { kind: 'countedEnd', from: 'initiator', bytes: 5 },
    { kind: 'tlsStart', from: 'initiator', wellFormed: true },
    { kind: 'tlsStart', from: 'responder', wellFormed: true },
  ])('meet a framing that nobody asked for: %j', (frame) => {
    const step = smtp.step(play(greeted).state, frame, defaultSmtpPolicy);
    expect(refusalOf(step)).toMatchObject({ reason: 'unexpected-frame' });
  });

  it('meet every frame after goodbye, whoever sends it', () => {
    const { state } = play([...greeted, 'C: QUIT', 'S: 221 bye']);
    for (const from of ['initiator', 'responder'] as const) {
      for (const frame of [line(from, 'NOOP'), { kind: 'partial', from, text: 'N' } as const]) {
        expect(refusalOf(smtp.step(state, frame, defaultSmtpPolicy))).toMatchObject({ reason: 'data-after-end' });
      }
    }
  });
});

describe('secrets', () => {
  it.each([
    [['C: AUTH LOGIN', 'S: 334 x', 'C: c2VjcmV0!']],
    [['C: AUTH LOGIN', 'S: 535 no', 'C: c2VjcmV0']],
    [['C: AUTH LOGIN', 'S: 334 x', 'C: *', 'S: 501 ok', 'C: c2VjcmV0 c2VjcmV0']],
    [['C: AUTH PLAIN c2VjcmV0\0']],
  ])('stay out of what is told: %j', (rows) => {
    const { actions } = play([...greeted, ...rows]);
    expect(actions.some((action) => action.kind === 'alert')).toBe(true);
    expect(JSON.stringify(actions)).not.toContain('c2Vj');
  });
});

describe('the state', () => {
  const rows = fc.array(
    fc.constantFrom(
      ...['C: EHLO x', 'C: MAIL FROM:<a@b.example>', 'C: RCPT TO:<u@c.example>', 'C: NOOP', 'C: XYZZY', 'C: '],
      ...['S: 250 ok', 'S: 250-more', 'S: 500 no', 'S: 220 hi', 'S: 421 bye', 'C: AUTH LOGIN', 'C: DATA', 'S: 354 go'],
    ),
    { maxLength: 300 },
  );

  it('is bounded, whatever is said', () => {
    fc.assert(
      fc.property(rows, (dialogue) => {
        let state = smtp.initial;
        let paused = false;
        for (const row of dialogue) {
          const from = row.startsWith('C') ? 'initiator' : 'responder';
          if (paused && from === 'initiator') continue;
          const { state: after, actions } = smtp.step(state, line(from, row.slice(3)), defaultSmtpPolicy);
          if (actions.some((action) => action.kind === 'refuse')) return;
          for (const action of actions) {
            if (action.kind === 'pause') paused = true;
            if (action.kind === 'resume') paused = false;
          }
          state = after;
          expect(state.unanswered.length).toBeLessThanOrEqual(UNANSWERED_COMMANDS_MAX);
          expect(state.replyCode?.length ?? 0).toBeLessThanOrEqual(3);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is the same object after a partial line', () => {
    const { state } = play([...greeted, 'C: EHLO x', 'S: 250-mx.example']);
    for (const [from, text] of [
      ['initiator', 'XCL'],
      ['initiator', 'NOOP\0'],
      ['responder', '250-CHUNK'],
      ['responder', '9'],
    ] as const) {
      expect(smtp.step(state, { kind: 'partial', from, text }, defaultSmtpPolicy).state).toBe(state);
    }
  });
});
