import { type Guard, guardsOf } from './guard.ts';

/** Guards of what the protocols share, and of the POP3 machine. */

const SMTP = 'test/transcripts/smtp.test.ts';
const POP3 = 'test/transcripts/pop3.test.ts';
const POP3_MACHINE = 'src/protocols/pop3/machine.test.ts';

const shared: readonly Guard[] = [
  ...guardsOf(
    'src/inspect/tls-start.ts',
    ['src/inspect/tls-start.test.ts', SMTP],
    [
      [
        'tls-responder-silent',
        'behind its go-ahead a server says nothing before the ClientHello (RFC 3207 4)',
        "{ kind: 'pause', side: 'responder' },",
        '',
      ],
      [
        'tls-hello-follows',
        'behind STARTTLS comes a handshake, not plaintext (RFC 3207 4, CVE-2011-0411)',
        'if (!frame.wellFormed)',
        'if (false)',
      ],
      ['tls-client-first', 'the client sends its hello first (RFC 8446 2)', 'if (frame.from !== awaits)', 'if (false)'],
    ],
  ),
  ...guardsOf(
    'src/inspect/sasl.ts',
    ['src/inspect/sasl.test.ts', POP3],
    [
      [
        'sasl-unknown-mechanism',
        'with secure-login a mechanism that nobody knows counts as one in clear (cisco-ios 3.7)',
        "if (judged.kind === 'unknown' && end > from) {",
        'if (false) {',
      ],
      [
        'sasl-base64',
        'a SASL response is base64 (RFC 4422 3.7)',
        'const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;',
        'const BASE64 = /^.*$/;',
      ],
      [
        'sasl-base64-under-way',
        'what cannot become base64 does not go ahead (RFC 4422 3.7)',
        'const BASE64_SO_FAR = /^[A-Za-z0-9+/]*={0,2}$/;',
        'const BASE64_SO_FAR = /^.*$/;',
      ],
    ],
  ),
  ...guardsOf(
    'src/inspect/words.ts',
    ['src/inspect/words.test.ts', POP3],
    [
      [
        'quote-credential-verbs',
        'of what begins with a verb of credentials only the verb is quoted (secrets are never logged)',
        'return credentialVerbs.find((credential) => verb.startsWith(credential)) ?? verb;',
        'return verb;',
      ],
      [
        'quote-printable',
        'what is quoted is printable ASCII (log injection)',
        String.raw`.replace(/[^\x20-\x7e]/g, '?')`,
        '',
      ],
      ['quote-short', 'and no longer than its limit (log injection)', 'return text.slice(0, lengthMax)', 'return text'],
      [
        'words-ascii-case',
        'only ASCII letters have a case: no octet becomes a letter of a verb (RFC 1939 3)',
        'return code >= 0x61 && code <= 0x7a ? String.fromCharCode(code - 0x20) : text.charAt(at);',
        'return text.charAt(at).toUpperCase();',
      ],
      [
        'words-del',
        'DEL is a control character (RFC 5321 4.1.2)',
        'return code < 0x20 || code === 0x7f;',
        'return code < 0x20;',
      ],
    ],
  ),
];

const pop3: readonly Guard[] = [
  ...guardsOf(
    'src/protocols/pop3/authorization.ts',
    [POP3_MACHINE, POP3],
    [
      [
        'pop3-unasked-begun',
        'an answer that nobody asked for is refused at its first octet (response injection)',
        "return isUnasked(state, text) ? refuseReply(state, 'unexpected-reply', policy) : {",
        'return {',
      ],
      [
        'pop3-unasked-whole',
        'and where it comes as a whole; nothing is settled while a challenge is open (RFC 1939 3)',
        "if (isUnasked(state, text)) return refuseReply(state, 'unexpected-reply', policy);",
        '',
      ],
      [
        'pop3-foreign-line',
        'TLS, HTTP and SSH are recognised in any command line (cross-protocol requests)',
        "if (opening.kind === 'foreign') return refusal(state, foreign(opening.spoken, 'initiator'), policy);",
        '',
      ],
      [
        'pop3-secure-login',
        'with secure-login USER and PASS do not pass (cisco-ios 3.7)',
        ' SECURE_AUTHORIZATION_VERBS : AUTHORIZATION_VERBS',
        ' AUTHORIZATION_VERBS : AUTHORIZATION_VERBS',
      ],
      [
        'pop3-paused-refused',
        'what comes behind STLS before its answer is refused (RFC 2595 4)',
        'if (isInitiatorPaused(state)) return refusal(',
        'if (false) return refusal(',
      ],
      [
        'pop3-holds',
        'behind a login, AUTH, STLS and QUIT the client waits (RFC 2595 4)',
        '...(isInitiatorPaused(next) ? [PAUSE_INITIATOR] : []),',
        '',
      ],
      [
        'pop3-unanswered-bounded',
        'as many commands are unanswered as are kept (limits.md)',
        'if (state.unanswered.length >= UNANSWERED_COMMANDS_MAX) {',
        'if (false) {',
      ],
      [
        'pop3-sasl-response',
        'a line in an AUTH exchange is a SASL response (RFC 5034 4)',
        'if (!isSaslResponse(text, complete))',
        'if (false)',
      ],
      [
        'pop3-reply-form',
        'a reply begins with +OK, -ERR or + (RFC 1939 3)',
        "return refuseReply(state, 'invalid-reply', policy);",
        'return { state, actions: [FORWARD] };',
      ],
      [
        'pop3-reply-no-words',
        'no words follow the beginning of a refused reply: they would be read as its end (RFC 1939 3)',
        'return refusal(state, { reason }, { ...policy, reset: true });',
        'return refusal(state, { reason }, policy);',
      ],
      [
        'pop3-challenge-asked',
        'a server challenges only who asked with AUTH (RFC 5034 4)',
        "if (answered?.challenges !== true) return refuseReply(state, 'unexpected-reply', policy);",
        '',
      ],
      [
        'pop3-exchange-had',
        'an AUTH in which nothing was said has not succeeded: the +OK is for something else (RFC 4422 3)',
        "if (answered.awaitsChallenge === true) return refuseReply(state, 'unexpected-reply', policy);",
        '',
      ],
      [
        'pop3-read-again',
        'a client that goes on after QUIT is read as at the beginning (never an off switch)',
        '...(state.responderOpaque ? readAgain() : []),',
        '',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/pop3/command-line.ts',
    [POP3_MACHINE, POP3],
    [
      [
        'pop3-secure-mechanism',
        'with secure-login AUTH PLAIN and its like do not pass (cisco-ios 3.7)',
        'findAuthOffence(line, complete, context.secureLogin)',
        'findAuthOffence(line, complete, false)',
      ],
      [
        'pop3-auth-blank',
        'a blank and nothing behind AUTH is refused: Dovecot takes its line end for a command (RFC 5034 4)',
        "if (endsBehindBlank) return { at: from, reason: 'invalid-arguments' };",
        '',
      ],
      ['pop3-auth-blank-at-cr', 'and at its CR, before the LF comes (RFC 5034 4)', "line[from] === '\\r' || ", ''],
      [
        'pop3-blanks-alone',
        'an argument is whatever is no blank: 0xA0 makes LANG one line of answer (RFC 6856 3)',
        'const hasArguments = /[^ ]/.test(text.slice(verb.length));',
        "const hasArguments = text.slice(verb.length).trim() !== '';",
      ],
      [
        'pop3-control-characters',
        'a command with a control character is refused (RFC 1939 3)',
        "if (isControl(text.charCodeAt(at))) return { at, reason: 'control-character' };",
        '',
      ],
      [
        'pop3-command-budget',
        'a command line has a budget (RFC 2449 4)',
        "if (at >= POP3_COMMAND_BYTES_MAX) return { at, reason: 'line-too-long' };",
        '',
      ],
      [
        'pop3-arguments',
        'a command has as many arguments as it takes, with single spaces (RFC 1939 3)',
        'if (count > max || doubled) return',
        'if (false) return',
      ],
      [
        'pop3-passed-invalid-form',
        'an invalid command that policy lets on is one word without a blank before it (cisco-ios 3.9)',
        'context.passInvalid && !context.ended && /^[!-~]+(?: |$)/.test(text)',
        'context.passInvalid && !context.ended',
        [POP3_MACHINE, POP3, 'src/policy/application/inspector.test.ts'],
      ],
      [
        'pop3-secret-not-quoted',
        'what follows a refused login may be the secret and is not quoted (secrets are never logged)',
        "return !secretMayFollow || COMMANDS.has(verb) ? verb : '*';",
        'return verb;',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/pop3/machine.ts',
    [POP3_MACHINE, POP3],
    [
      [
        'pop3-longest-line',
        'no line is longer than Cyrus and Courier read at once: they would run its rest (limits.md)',
        'initiator: POP3_SASL_BYTES_MAX',
        'initiator: 12_288',
      ],
      [
        'pop3-early-talk',
        'a client waits for the greeting (RFC 1939 4)',
        "refusal(state, { reason: 'early-talk' }, policy)",
        'forward(state)',
      ],
      [
        'pop3-greeting',
        'a server greets with +OK or -ERR (RFC 1939 4)',
        'if (!possible) return onNoGreeting(frame, policy);',
        '',
      ],
      [
        'pop3-foreign-early',
        'another protocol that begins before the greeting is recognised (cross-protocol requests)',
        "if (opening.kind === 'foreign') return refusal(state, foreign(opening.spoken, 'initiator'), policy);",
        '',
      ],
      [
        'pop3-foreign-server',
        'a server of another protocol is recognised (cross-protocol requests)',
        "if (opening.kind === 'foreign') return refusal(state, foreign(opening.spoken, 'responder'), policy);",
        '',
      ],
      [
        'pop3-early-talk-held',
        'of a client that talks early no more goes ahead than may open another protocol',
        "const mayYet = frame.kind === 'partial' && opening.kind === 'undecided';",
        "const mayYet = frame.kind === 'partial';",
      ],
      [
        'pop3-closed',
        'behind a greeting of -ERR only QUIT passes (RFC 1939 4)',
        "return frame.from === 'initiator' ? onClosed(state, frame, policy) : forward(state);",
        'return forward(state);',
      ],
      [
        'pop3-endless-line',
        'a line without end is refused at its budget (limits.md)',
        "return refusal(state, { reason: 'line-too-long' }, policy);",
        'return forward(state);',
      ],
    ],
  ),
];

export const POP3_AND_SHARED: readonly Guard[] = [...shared, ...pop3];
