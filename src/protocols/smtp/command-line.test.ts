import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CommandVerdict, judgeCommandLine } from './command-line.ts';
import { COMMANDS } from './grammar.ts';
import { defaultSmtpPolicy, type SmtpPolicy } from './policy.ts';

const offered = { chunking: true, envelope: 'none' } as const;
const judge = (text: string, policy: Partial<SmtpPolicy> = {}): CommandVerdict =>
  judgeCommandLine(text, true, { ...defaultSmtpPolicy, ...policy }, offered);
const judgeHead = (text: string, policy: Partial<SmtpPolicy> = {}): CommandVerdict =>
  judgeCommandLine(text, false, { ...defaultSmtpPolicy, ...policy }, offered);

/** Lines near to commands: legal verbs with a mutation, and any octets at all. */
const nearlyCommands = fc
  .oneof(
    fc
      .tuple(
        fc.constantFrom(...COMMANDS.keys(), 'mail FROM:<a@b.example>', 'RCPT TO:<u@c.example>', 'BDAT 10 LAST'),
        fc.constantFrom('', ' ', '\t', '\0', '\r', ' x', '|', '`', ' FROM', '\x85', ' {'),
        fc.constantFrom('', ' TO:<|x>', ' now', '\x7f', ' FROM:<$(id)@x>'),
      )
      .map((parts) => parts.join('')),
    fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((octet) => String.fromCharCode(octet)), maxLength: 40 }),
  )
  .filter((line) => !line.includes('\n'));

describe('judgeCommandLine', () => {
  it.each([
    ['NOOP', {}],
    ['noop anything', {}],
    ['MAIL FROM:<a@b.example> SIZE=1', {}],
    ['mail  from: <a@b.example>', {}],
    ['EHLO [192.0.2.1]', {}],
    ['STARTTLS', {}],
    ['AUTH PLAIN =', {}],
    ['BDAT 0', { chunking: 'allow' }],
    ['BDAT 2147483647 LAST', { chunking: 'allow' }],
    ['HELO x', { extended: false }],
  ] as const)('lets %j pass', (line, policy) => expect(judge(line, policy).kind).toBe('legal'));

  it.each([
    ['BDAT 10 LAST', {}],
    ['STARTTLS', { starttls: 'mask' }],
    ['STARTTLS', { extended: false }],
    ['EHLO x', { extended: false }],
    ['AUTH PLAIN', { extended: false }],
    ['ETRN x', { extended: false }],
    ['XCLIENT NAME=x', {}],
    ['BURL imap://x', {}],
    [' NOOP', {}],
    ['NOOP\t', {}],
    ['MAIL FROM', {}],
    ['MAIL <a@b.example>', {}],
    ['__proto__ x', {}],
    ['constructor', {}],
  ] as const)('calls %j illegal', (line, policy) => expect(judge(line, policy).kind).toBe('illegal'));

  it.each([
    ['NOOP \t', 'control-character'],
    ['NOOP\r', 'control-character'],
    ['MAIL FROM:<a\0@b.example>', 'control-character'],
    [`NOOP ${'a'.repeat(2044)}`, 'line-too-long'],
    [`AUTH PLAIN ${'a'.repeat(12_278)}`, 'line-too-long'],
  ])('refuses %j', (line, reason) => expect(judge(line)).toEqual({ kind: 'refused', reason }));

  it.each(['BDAT', 'BDAT ', 'BDAT 1 ', 'BDAT  1', 'BDAT 01', 'BDAT +1', 'BDAT 1 LAST ', 'BDAT 1e1', 'BDAT 1,0'])(
    'refuses the chunk size of %j',
    (line) => expect(judge(line, { chunking: 'allow' })).toEqual({ kind: 'refused', reason: 'invalid-arguments' }),
  );

  it('keeps to what it said of the first octets', () => {
    fc.assert(
      fc.property(nearlyCommands, fc.boolean(), fc.boolean(), (line, allowed, isOpen) => {
        const opening: Partial<SmtpPolicy> = { verbs: 'open', maskedVerbs: new Set(['NO', 'VRFY']) };
        const policy: Partial<SmtpPolicy> = { chunking: allowed ? 'allow' : 'mask', ...(isOpen ? opening : {}) };
        const whole = judge(line, policy);
        for (let length = 0; length <= line.length; length += 1) {
          const text = line.slice(0, length);
          const head = judgeHead(text.endsWith('\r') ? text.slice(0, -1) : text, policy);
          if (head.kind === 'refused') expect(whole).toEqual(head);
          else if (head.kind === 'illegal' || head.kind === 'attack')
            expect([head.kind, 'refused']).toContain(whole.kind);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('lets any verb pass where verbs are open, but none that begins with one that may not', () => {
    const policy = { verbs: 'open', maskedVerbs: new Set(['NO', 'VRFY']) } as const;
    const words = fc.tuple(
      fc.constantFrom('', ...COMMANDS.keys(), 'NO', 'BDA', 'MAI'),
      fc.stringMatching(/^[!-~]{0,4}$/),
      fc.constantFrom('', ' FROM:<a@b.example>', ' TO:<a@b.example>', ' x'),
    );
    fc.assert(
      fc.property(words, ([word, more, rest]) => {
        const verb = (word + more).toUpperCase();
        const hidden = ['NO', 'VRFY', 'BURL', 'BDAT', 'DEBUG', 'WIZ'].some((each) => verb.startsWith(each));
        const { kind } = judge(word.toLowerCase() + more + rest, policy);
        if (verb === 'NOOP') expect(kind).toBe('legal');
        else if (hidden) expect(kind).not.toBe('legal');
        else if (/^[A-Z0-9-]+$/.test(verb) && !COMMANDS.has(verb)) expect(kind).toBe('legal');
      }),
      { numRuns: 2_000 },
    );
  });

  it('lets no verb pass that the table lacks or forbids', () => {
    fc.assert(
      fc.property(nearlyCommands, (line) => {
        if (judge(line).kind !== 'legal') return;
        const verb = line.split(' ', 1)[0] ?? '';
        expect(COMMANDS.get(verb.toUpperCase())?.legal).toMatch(/^(smtp|esmtp|starttls)$/);
        expect(verb).toMatch(/^[A-Za-z]+$/);
      }),
      { numRuns: 2_000 },
    );
  });
});
