import { type Guard, guardsOf } from './guard.ts';

/** Guards of the IMAP machine. */

const DIALOGUES = 'test/transcripts/imap.test.ts';
const IMAP_MACHINE = 'src/protocols/imap/machine.test.ts';
const IMAP_ARGUMENTS = 'src/protocols/imap/arguments.test.ts';
const IMAP_LITERALS = 'src/protocols/imap/literals.test.ts';

const imapCommands: readonly Guard[] = [
  ...guardsOf(
    'src/protocols/imap/not-authenticated.ts',
    [IMAP_MACHINE, DIALOGUES],
    [
      [
        'imap-foreign-line',
        'TLS and HTTP are recognised in any command line (cross-protocol requests)',
        "if (opening.kind === 'foreign') return refusal(state, foreign(opening.spoken, 'initiator'), policy);",
        '',
      ],
      [
        'imap-foreign-tag',
        'SSH where it is no tag of a command (cross-protocol requests)',
        "if (isSshClient(text, judged)) return refusal(state, foreign('SSH', 'initiator'), policy);",
        '',
      ],
      [
        'imap-secure-login',
        'with secure-login LOGIN does not pass (cisco-ios 3.7)',
        ' SECURE_NOT_AUTHENTICATED_VERBS : NOT_AUTHENTICATED_VERBS',
        ' NOT_AUTHENTICATED_VERBS : NOT_AUTHENTICATED_VERBS',
      ],
      [
        'imap-paused-refused',
        'what comes behind STARTTLS before its answer is refused (RFC 9051 6.2.1)',
        'if (isInitiatorPaused(state)) return refusal(',
        'if (false) return refusal(',
      ],
      [
        'imap-holds',
        'behind LOGIN, AUTHENTICATE, STARTTLS and LOGOUT the client waits (RFC 9051 6.2.1)',
        'const pauses = isInitiatorPaused(next) ? [PAUSE_INITIATOR] : [];',
        'const pauses: readonly Action[] = [];',
      ],
      [
        'imap-unanswered-bounded',
        'as many commands are unanswered as are kept (limits.md)',
        'if (state.unanswered.length >= UNANSWERED_COMMANDS_MAX) {',
        'if (false) {',
      ],
      [
        'imap-literals-a-command',
        'a command has a bounded number of literals (limits.md)',
        'literals > IMAP_LITERALS_A_COMMAND_MAX || ',
        '',
      ],
      [
        'imap-literal-offered',
        'a non-synchronising literal passes only to a server that offers it (RFC 7888 4)',
        '!isOffered(literal, state.offers.nonSynchronising)',
        'false',
      ],
      [
        'imap-literal-line-end',
        'CRLF follows the brace of a literal: at an LF Cyrus runs the octets (RFC 9051 9)',
        "if (end === 'bareLf') return",
        'if (false) return',
      ],
      [
        'imap-literal-unasked-noted',
        'a command is known by a literal that did not wait (RFC 7888)',
        'const command = literal.synchronising ? before.command : { ...before.command, literalUnasked: true };',
        'const { command } = before;',
      ],
      [
        'imap-language-offered',
        'LANGUAGE goes only to a server that lists it: Stalwart would run what follows its blank (RFC 5255 3.1)',
        "[state.offers.language ? 'withLanguage' : 'usual']",
        "['withLanguage']",
      ],
      [
        'imap-literal-read-alike',
        'nor does one behind what Dovecot does not read: it would run the octets (RFC 9051 9)',
        ' || !isReadToItsEnd(line, tag))) {',
        ')) {',
      ],
      [
        'imap-literal-read-whole',
        'nor one that ends behind as many octets as Dovecot reads of a command: it would run the rest (RFC 7888 4)',
        'bytes > IMAP_COMMAND_BYTES_MAX || ',
        '',
      ],
      [
        'imap-literal-held',
        'a synchronising literal waits for the go-ahead (RFC 9051 4.3)',
        "if (literal.synchronising && !letThrough) return { awaits: 'goAhead', actions: [PAUSE_INITIATOR] };",
        '',
      ],
      [
        'imap-literal-counted',
        'the octets of a literal are no commands (RFC 9051 4.3)',
        "return { awaits: 'octets', actions: [countedInitiator(literal.bytes)] };",
        "return { awaits: 'rest', actions: [] };",
      ],
      [
        'imap-literal-after-answer',
        'a server that has refused the command gives no go-ahead to its literal (RFC 9051 4.3)',
        'if (before.answeredEarly && literal.synchronising) {',
        'if (false) {',
      ],
      [
        'imap-early-go-ahead',
        'a go-ahead before the literal is one for that literal only (RFC 9051 4.3)',
        'return used ? step : refusal(',
        'return true ? step : refusal(',
      ],
      [
        'imap-early-id',
        'an answer before the end of the line is the one of that line, and harmless (RFC 2971 3)',
        "after.at !== 'NOT_AUTHENTICATED' || command?.tag !== tag || command.onOk !== 'nothing'",
        "after.at !== 'NOT_AUTHENTICATED'",
      ],
      [
        'imap-sasl-response',
        'a line in an AUTHENTICATE exchange is a SASL response (RFC 9051 6.2.2)',
        'if (!isSaslResponse(text, complete))',
        'if (false)',
      ],
      [
        'imap-read-again',
        'a client that goes on after LOGOUT is read as at the beginning (never an off switch)',
        "return state.responderOpaque ? [{ kind: 'inspectAgain' }, ...STRICT_LINES] : [];",
        'return [];',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/imap/command-line.ts',
    [IMAP_MACHINE, DIALOGUES],
    [
      [
        'imap-secure-mechanism',
        'with secure-login AUTHENTICATE PLAIN and its like do not pass (cisco-ios 3.7)',
        'readSasl(text, from, complete, context.secureLogin)',
        'readSasl(text, from, complete, false)',
      ],
      [
        'imap-tag-in-use',
        'no two commands under way have one tag: their answers could be taken for each other (RFC 9051 2.2.1)',
        'if (context.isTagInUse(tag.tag)) return',
        'if (false) return',
      ],
      [
        'imap-command-budget',
        'a command line has a budget (RFC 7162 4)',
        'if (text.length <= IMAP_COMMAND_BYTES_MAX) return readArguments(',
        'if (true) return readArguments(',
      ],
      [
        'imap-passed-invalid-literal',
        'an invalid command that policy lets on has no literal (cisco-ios 3.9)',
        String.raw`if (/\{[^{}]*\}$/.test(text)) return refused(`,
        'if (false) return refused(',
        [IMAP_MACHINE, DIALOGUES, 'src/policy/application/inspector.test.ts'],
      ],
      [
        'imap-passed-invalid-blank',
        'an invalid command that policy lets on has no blank before its verb (cisco-ios 3.9)',
        "if (text.startsWith(' ', tag.length + 1)) return refused(text, context, offence);",
        '',
        [IMAP_MACHINE, DIALOGUES, 'src/policy/application/inspector.test.ts'],
      ],
      [
        'imap-secret-not-quoted',
        'what follows a refused login may be the secret and is not quoted (secrets are never logged)',
        "return !secretMayFollow || COMMANDS.has(verb) ? verb : '*';",
        'return verb;',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/imap/tag.ts',
    [IMAP_MACHINE, DIALOGUES],
    [
      [
        'imap-tag-octets',
        'a tag has no brace and no quote: a literal in its place is a command (RFC 9051 9)',
        ' && !NOT_IN_TAGS.has(octet)',
        '',
      ],
      ['imap-tag-length', 'a tag has a budget (limits.md)', ' && at < TAG_BYTES_MAX', ''],
    ],
  ),
  ...guardsOf(
    'src/protocols/imap/literals.ts',
    [IMAP_LITERALS, DIALOGUES],
    [
      [
        'imap-literal-bounded',
        'a literal before authentication is short (limits.md)',
        'if (bytes > IMAP_LITERAL_BYTES_MAX || at - from > LITERAL_DIGITS_MAX)',
        'if (false)',
      ],
      [
        'imap-literal-last',
        'a literal is the last of its line (RFC 9051 4.3)',
        "if (at + 1 < text.length) return { kind: 'malformed', at: at + 1 };",
        '',
      ],
      [
        'imap-literal-minus',
        'LITERAL- lets 4,096 octets through without asking (RFC 7888 5)',
        "return offered === 'short' && bytes <= LITERAL_MINUS_BYTES_MAX;",
        "return offered === 'short';",
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/imap/arguments.ts',
    [IMAP_ARGUMENTS, DIALOGUES],
    [
      [
        'imap-quoted-controls',
        'a quoted string has no control character (RFC 9051 9)',
        "if (isControl(text.charCodeAt(at))) return offenceAt(text, at, 'control-character');\n    if (text[at] === '\"')",
        "if (text[at] === '\"')",
      ],
      [
        'imap-quoted-escapes',
        'a backslash escapes a quote or a backslash only (RFC 9051 9)',
        "if (at < text.length && text[at] !== '\"' && text[at] !== '\\\\') return",
        'if (false) return',
      ],
      [
        'imap-quoted-one-line',
        'a quoted string ends on its line (RFC 9051 9)',
        "return complete ? offenceAt(text, text.length, 'invalid-arguments') : { kind: 'growing' };\n}\n\nfunction readLiteralToken",
        "return complete ? { kind: 'token', end: text.length } : { kind: 'growing' };\n}\n\nfunction readLiteralToken",
      ],
      [
        'imap-id-field-length',
        'a field of ID has 30 octets: Dovecot skips the line of a longer one and runs a literal behind it (RFC 2971 3.3)',
        "if (bytes === bytesMax) return offenceAt(text, at, 'invalid-arguments');",
        '',
      ],
      [
        'imap-id-field-literal',
        'also of one that is a literal (RFC 2971 3.3)',
        "if (reading.kind === 'literal' && reading.literal.bytes > bytesMax) return offenceAt(text, at, 'invalid-literal');",
        '',
      ],
      [
        'imap-atom-brace',
        'an atom has no brace: servers differ on whether a literal begins there (RFC 9051 9)',
        "if (octet === '{') return offenceAt(text, at, 'invalid-literal');",
        '',
      ],
    ],
  ),
];

const imapAnswers: readonly Guard[] = [
  ...guardsOf(
    'src/protocols/imap/offers.ts',
    [IMAP_MACHINE, DIALOGUES],
    [
      [
        'imap-literal-unseen',
        'what no list of capabilities offered is not offered (RFC 7888 4)',
        "nonSynchronising: 'none', ",
        "nonSynchronising: 'any', ",
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/imap/answers.ts',
    [IMAP_MACHINE, DIALOGUES],
    [
      [
        'imap-unasked-begun',
        'a tagged answer of no command is refused where no tag begins so (response injection)',
        'return isOfNobody(state, withoutUndecidedCr(text), false)\n',
        'return false\n',
      ],
      [
        'imap-preauth-greets',
        'PREAUTH is a greeting and no answer (RFC 9051 7.1.4)',
        "if (response.status === 'PREAUTH') return refusal(state, { reason: 'unexpected-reply' }, policy);",
        '',
      ],
      [
        'imap-reply-form',
        'a response is untagged, tagged or a continuation (RFC 9051 7)',
        "case 'malformed':\n      return refusal(state, { reason: 'invalid-reply' }, policy);",
        "case 'malformed':\n      return { state, actions: [FORWARD] };",
      ],
      [
        'imap-reply-no-words',
        'no words follow the beginning of a refused response: they would be read as its end (RFC 9051 7)',
        'refuse(why, { ...policy, reset: true })',
        'refuse(why, policy)',
      ],
      [
        'imap-go-ahead-asked',
        'a go-ahead is for a literal or an exchange under way (RFC 9051 7.6)',
        'if (!mayBeEarly || state.challenged || state.earlyGoAhead) {',
        'if (false) {',
      ],
      [
        'imap-challenge-open',
        'nothing is settled while a challenge is open (RFC 9051 6.2.2)',
        'if (answered.challenges && state.challenged) return',
        'if (false) return',
      ],
      [
        'imap-unknown-tag',
        'an answer has the tag of a command (response injection)',
        'if (!mayBeId || state.challenged || state.earlyGoAhead || isInitiatorPaused(state)) {',
        'if (false) {',
      ],
      [
        'imap-early-answer',
        'a command that is not sent to its end is not answered by OK (RFC 9051 4.3)',
        "if (status === 'OK' || unfinished.answeredEarly || wasUnread) {",
        'if (false) {',
      ],
      [
        'imap-literal-bad-early',
        'nor by BAD where a literal of it did not wait: the server runs its octets (RFC 7888)',
        ' || command.literalUnasked === true);',
        ');',
      ],
      [
        'imap-literal-bad',
        'and where the command was complete, BAD ends the session all the same (RFC 7888)',
        "if (status === 'BAD' && answered.literalUnasked === true) {",
        'if (false) {',
      ],
      [
        'imap-exchange-had',
        'an AUTHENTICATE in which nothing was said has not succeeded: the OK is for something else (RFC 4422 3)',
        "if (answered.awaitsChallenge === true) return refusal(state, { reason: 'unexpected-reply' }, policy);",
        '',
      ],
      [
        'imap-reply-literal',
        'the octets of a literal in a response are no responses (response injection)',
        "const literal = literalIn(text, state.response === 'whole' ? 'start' : state.response);",
        'const literal = undefined as ReturnType<typeof literalIn>;',
      ],
      [
        'imap-reply-literal-size',
        'a literal in a response has a size that clients can read (RFC 9051 4.3)',
        "if (literal === 'oversized') return",
        'if (false) return',
        [IMAP_MACHINE, DIALOGUES, 'src/protocols/imap/replies.test.ts'],
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/imap/replies.ts',
    ['src/protocols/imap/replies.test.ts', DIALOGUES],
    [
      [
        'imap-reply-literal-in-text',
        'what looks like a literal in human text is text: the client reads on (RFC 9051 7.1)',
        "if (where === 'text' || (where === 'code' && text.includes(']'))) return undefined;",
        '',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/imap/machine.ts',
    [IMAP_MACHINE, DIALOGUES],
    [
      [
        'imap-early-talk',
        'a client waits for the greeting (RFC 9051 3.1)',
        "refusal(state, { reason: 'early-talk' }, policy)",
        'forward(state)',
      ],
      [
        'imap-greeting',
        'a server greets with OK, PREAUTH or BYE (RFC 9051 7.1)',
        'if (!possible) return onNoGreeting(frame, policy);',
        '',
      ],
      [
        'imap-foreign-early',
        'another protocol that begins before the greeting is recognised (cross-protocol requests)',
        "if (opening.kind === 'foreign') return refusal(state, foreign(opening.spoken, 'initiator'), policy);",
        '',
      ],
      [
        'imap-foreign-server',
        'a server of another protocol is recognised (cross-protocol requests)',
        "if (opening.kind === 'foreign') return refusal(state, foreign(opening.spoken, 'responder'), policy);",
        '',
      ],
      [
        'imap-early-talk-held',
        'of a client that talks early no more goes ahead than may open another protocol',
        "const mayYet = frame.kind === 'partial' && opening.kind === 'undecided';",
        "const mayYet = frame.kind === 'partial';",
      ],
      [
        'imap-preauth',
        'PREAUTH is a login: STARTTLS behind it is not followed (RFC 9051 7.1.4)',
        "if (status === 'PREAUTH')",
        'if (false)',
      ],
      [
        'imap-closed',
        'behind a greeting of BYE only LOGOUT passes (RFC 9051 7.1.5)',
        'return fromInitiator ? onClosed(state, frame, policy) : forward(state);',
        'return forward(state);',
      ],
      [
        'imap-endless-line',
        'a line without end is refused at its budget (limits.md)',
        "return refusal(state, { reason: 'line-too-long' }, policy);",
        'return forward(state);',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/imap/authenticated.ts',
    [IMAP_MACHINE, DIALOGUES],
    [
      [
        'imap-literal-followed',
        'behind a login a LOGOUT in a literal is text (RFC 9051 4.3)',
        'const counted = literal === undefined || literal.bytes === 0 ? [] : [countedInitiator(literal.bytes)];',
        'const counted: readonly Action[] = [];',
      ],
      [
        'imap-unauthenticate',
        'UNAUTHENTICATE that is answered by OK ends the login (RFC 8437 3)',
        "case 'UNAUTHENTICATE':",
        "case 'NEVER':",
      ],
      [
        'imap-unauthenticate-refused',
        'behind one that seems to be refused no login comes: the NO can have been for another command (RFC 9051 6.2)',
        'if (!mayHaveLeft || midCommand) return undefined;',
        'if (mayHaveLeft || !mayHaveLeft) return undefined;',
      ],
      [
        'imap-unauthenticate-begun',
        'and the login is refused before its secret goes (RFC 9051 6.2)',
        'return early === undefined ? {',
        'return true ? {',
      ],
      [
        'imap-unauthenticate-lines',
        'for which its line is held as it comes, however long its tag is (RFC 9051 6.2)',
        'mayHaveLeft ? STRICT_INITIATOR : ',
        'false ? STRICT_INITIATOR : ',
      ],
      [
        'imap-unauthenticate-no-words',
        'no words follow what the server may be in the middle of (RFC 9051 7)',
        'return refuseVerb(state, early, { ...policy, reset: true });',
        'return refuseVerb(state, early, policy);',
      ],
      [
        'imap-compress-followed',
        'COMPRESS hides nothing of a client whom the server refused it (RFC 4978 3)',
        "case 'UNAUTHENTICATE':\n      return awaitAnswer(state, tag);",
        "case 'COMPRESS':\n      return { state, actions: [FORWARD, { kind: 'frameAs', from: 'initiator', mode: { kind: 'opaque' } }] };\n    case 'UNAUTHENTICATE':\n      return awaitAnswer(state, tag);",
      ],
    ],
  ),
];

export const IMAP: readonly Guard[] = [...imapCommands, ...imapAnswers];
