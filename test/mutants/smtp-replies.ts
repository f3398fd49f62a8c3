import { type Guard, guardsOf } from './guard.ts';

/** Guards of the SMTP machine against what the server says. */

const DIALOGUES = 'test/transcripts/smtp.test.ts';
const MACHINE = 'src/protocols/smtp/machine.test.ts';
const REPLIES = 'src/protocols/smtp/replies.test.ts';
const EHLO = 'src/protocols/smtp/ehlo.test.ts';
const STARTTLS = 'test/transcripts/starttls-policy.test.ts';

const ehlo = guardsOf(
  'src/protocols/smtp/ehlo.ts',
  [EHLO, DIALOGUES],
  [
    [
      'smtp-keyword-masked-by-policy',
      'an EHLO keyword that policy masks is not offered (cisco-ios 3.9)',
      'if ([...policy.maskedKeywords].some(begins)) return false;',
      '',
    ],
    [
      'smtp-keyword-hiding',
      'keywords that hide mail are never offered (RFC 4468, RFC 3030)',
      ' && !hidden(policy).some(begins)',
      '',
    ],
    [
      'smtp-keyword-blanks',
      'a blank before a keyword hides nothing: clients skip it',
      String.raw`!/^[ \t=]/.test(line) && `,
      '',
    ],
    [
      'smtp-keyword-known',
      'only known EHLO keywords are offered (cisco-ios 3.8)',
      "return line === '' || permitted(policy).includes(keyword);",
      'return true;',
    ],
  ],
);

const answers = guardsOf(
  'src/protocols/smtp/answers.ts',
  [DIALOGUES],
  [
    [
      'smtp-keyword-masked',
      'an EHLO keyword that may not be offered is masked (cisco-ios 3.8)',
      'isKeyword(state, reply) && !mayOffer(reply.text, true, policy) ?',
      'false ?',
    ],
    [
      'smtp-keyword-masked-under-way',
      'and its first octets as they arrive (design.md, prefixes)',
      'const masked = isKeyword(state, reply) && !mayOffer(reply.text, false, policy);',
      'const masked = false;',
    ],
    [
      'smtp-keyword-any-success',
      'any 2xx is an answer to EHLO: clients look at the first digit (RFC 5321 4.3.2)',
      "replyCode !== undefined && code.startsWith('2')",
      "replyCode !== undefined && code === '250'",
    ],
    [
      'smtp-ehlo-refused',
      'behind an EHLO that was refused HELO tells that there is no STARTTLS (match starttls)',
      "code.startsWith('5') ? { ...state, ehloRefused: true } : state",
      'false ? { ...state, ehloRefused: true } : state',
      [DIALOGUES, STARTTLS],
    ],
    [
      'smtp-chunking-anew',
      'each answer to EHLO says anew whether CHUNKING is offered (RFC 5321 4.1.1.1)',
      '...state, chunking: false',
      '...state',
    ],
    [
      'smtp-refused-reset',
      'a RSET that is refused undoes nothing: a client that went on is refused (D-46)',
      'if (isEndUndone(over, answers, code))',
      'if (false)',
      [DIALOGUES, MACHINE, 'src/policy/application/inspector.test.ts'],
    ],
  ],
);

const replies = guardsOf(
  'src/protocols/smtp/replies.ts',
  [REPLIES, DIALOGUES],
  [
    [
      'smtp-foreign-server',
      'a server of another protocol is recognised (cross-protocol requests)',
      "if (opening.kind === 'foreign') return { kind: 'refused', reason: 'foreign-protocol', foreign: opening.spoken };",
      '',
    ],
    [
      'smtp-reply-form',
      'a reply is a code, a separator and text (RFC 5321 4.2)',
      "if (!wellFormed) return refused('invalid-reply');",
      '',
    ],
    [
      'smtp-reply-code',
      'a reply has a code that its command can have (RFC 5321 4.3.2)',
      "if (!mayAnswer(answers, code)) return refused('unexpected-reply');",
      '',
    ],
    [
      'smtp-reply-lines',
      'all lines of a reply have its code (RFC 5321 4.2.1)',
      '(state.replyCode === undefined || state.replyCode.startsWith(code));',
      'true;',
    ],
    [
      'smtp-reply-unasked',
      'a server says nothing that was not asked, but 421 (RFC 5321 3.8)',
      'if (command === undefined) return false;',
      'if (command === undefined) return true;',
    ],
    [
      'smtp-reply-go-ahead',
      'only who was asked for a go-ahead gives it (RFC 5321 4.3.2)',
      'return command.goAhead?.code.startsWith(code) ?? false;',
      'return true;',
    ],
  ],
);

export const SMTP_REPLIES: readonly Guard[] = [...ehlo, ...answers, ...replies];
