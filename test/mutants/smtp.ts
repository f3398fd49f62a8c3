import { type Guard, guardsOf } from './guard.ts';

/** Guards of the SMTP machine against what the client says, and of both sides' state. */

const DIALOGUES = 'test/transcripts/smtp.test.ts';
const LINES = 'src/protocols/smtp/command-line.test.ts';
const MACHINE = 'src/protocols/smtp/machine.test.ts';
const STARTTLS = 'test/transcripts/starttls-policy.test.ts';

const commandLine = guardsOf(
  'src/protocols/smtp/command-line.ts',
  [LINES, DIALOGUES],
  [
    [
      'smtp-verb-as-it-arrives',
      'the octet that no legal verb has at its place is masked already (design.md, prefixes)',
      "return beginsLegalVerb(verb, policy, known) ? { kind: 'undecided' } : { kind: 'illegal', verb };",
      "return { kind: 'undecided' };",
    ],
    [
      'smtp-refused-argument-held',
      'the arguments of a refused command never pass (design.md, prefixes)',
      "if (rule === undefined) return { kind: 'illegal', verb };",
      "if (rule === undefined) return whole ? { kind: 'illegal', verb } : { kind: 'undecided' };",
    ],
    [
      'smtp-control-characters',
      'a command with a control character is refused (RFC 5321 4.1.2)',
      "if (control >= 0) return { kind: 'refused', reason: 'control-character' };",
      '',
    ],
    [
      'smtp-bare-cr',
      'a bare CR in a command is refused: servers disagree on it (RFC 5321 2.3.8)',
      String.raw`if (text.includes('\r'))`,
      'if (false)',
    ],
    [
      'smtp-command-budget',
      'a command line has a budget (RFC 5321 4.5.3.1.4)',
      'if (text.length > lengthMax)',
      'if (false)',
    ],
    [
      'smtp-auth-budget',
      'only AUTH may be as long as a SASL response (RFC 4954 4)',
      "rule?.goAhead?.wants === 'sasl' && space > 0",
      'space > 0',
    ],
    [
      'smtp-bdat-grammar',
      'BDAT has a size and LAST, nothing else (RFC 3030 2)',
      "if (rule.legal === 'chunking' && !isChunk",
      "if (rule.legal === 'chunking' && false && !isChunk",
    ],
    [
      'smtp-bdat-wraps',
      'no size of BDAT is larger than 32 bits with a sign hold: servers read what is larger in different ways (RFC 3030 2)',
      "return argument === '' || Number.parseInt(argument, 10) <= SMTP_CHUNK_BYTES_MAX;",
      'return true || SMTP_CHUNK_BYTES_MAX > 0;',
    ],
    [
      'smtp-bdat-leading-zeros',
      'a size of BDAT is written in one way only: servers read leading zeros differently (RFC 3030 2)',
      'const CHUNK = /^(?:0|[1-9][0-9]{0,14})(?: LAST)?$/i;',
      'const CHUNK = /^[0-9]{1,15}(?: LAST)?$/i;',
    ],
    [
      'smtp-path-keyword',
      'MAIL has FROM: and RCPT has TO:, or is illegal (RFC 5321 4.1.1.2)',
      'if (start === undefined && !mayYetOpen(rule, argument, whole))',
      'if (false)',
    ],
    [
      'smtp-path-program',
      'a path that would be a program to run is masked (cisco-ios 3.8, signatures 3100 to 3102)',
      'start === undefined ? undefined : findAttack(rule, argument, start)',
      'undefined as Attack | undefined',
    ],
    [
      'smtp-foreign-line',
      'TLS, HTTP and SSH are recognised in any command line outside of a transaction (cross-protocol requests)',
      "if (foreign !== undefined) return { kind: 'refused', reason: 'foreign-protocol', foreign };",
      '',
    ],
    [
      'smtp-foreign-in-transaction',
      'and inside of one, where a line may be of a message, a line is a line',
      "if (envelope !== 'none') return undefined;",
      '',
    ],
    [
      'smtp-first-fault',
      'a line is refused for the fault that came first, however it was split (design.md, principle 4)',
      'return firstRefusal(text, (head) => judge(head, false, policy, known), verdict);',
      'return verdict;',
    ],
  ],
);

const commands = guardsOf(
  'src/protocols/smtp/commands.ts',
  [DIALOGUES],
  [
    [
      'smtp-chunk-awaits-recipients',
      'a chunk waits for the answers to its recipients where they may have it refused (cisco-ios 3.9, RFC 3030)',
      'if (policy.chunksAwaitRecipients && awaitsRecipients(state.unanswered)) {',
      'if (false) {',
      ['src/policy/application/awaited-recipients.test.ts'],
    ],
    [
      'smtp-illegal-masked',
      'an illegal command reaches the server as x (cisco-ios 3.8)',
      '[maskAll(text), FORWARD, ...alerts,',
      '[FORWARD, ...alerts,',
    ],
    [
      'smtp-illegal-masked-under-way',
      'the first octets of an illegal command are masked as they arrive (design.md, prefixes)',
      'actions: [maskAll(text), FORWARD]',
      'actions: [FORWARD]',
    ],
    [
      'smtp-attack-masked',
      'a command with a signature of the attack kind is masked (cisco-ios 3.8)',
      '[maskAll(text), FORWARD, alertOf(alert),',
      '[FORWARD, alertOf(alert),',
    ],
    [
      'smtp-illegal-drop',
      'where policy drops, an illegal command ends the session (contract: invalid-command drop)',
      "if (policy.illegal === 'drop' && !beginsMasked(verb, policy))",
      'if (false)',
    ],
    [
      'smtp-hidden-chunk',
      'BDAT that is not allowed ends the session: its chunk would be run as commands (RFC 3030 2)',
      'if (CHUNK_COMMAND.test(text)) {',
      'if (false) {',
    ],
    [
      'smtp-hidden-chunk-look-alikes',
      'so does what a lenient server takes for BDAT (RFC 3030 2)',
      String.raw`const CHUNK_COMMAND = /^\W*BDAT(?:\W|$)/i;`,
      'const CHUNK_COMMAND = /^BDAT(?: |$)/i;',
    ],
    [
      'smtp-hidden-chunk-swallowed',
      'the chunk behind a refused BDAT is thrown away before the words (RFC 3030 2)',
      "return bytes === 0 ? 'none' : [{ kind: 'frameAs', from: 'initiator', mode: { kind: 'counted', bytes } }];",
      "return bytes === 0 ? 'none' : [];",
    ],
    [
      'smtp-chunk-counted',
      'the octets of a chunk are no commands (RFC 3030 2)',
      "sent({ ...told.state, expecting: 'chunk' }, awaited, [FORWARD, counted])",
      'sent(told.state, awaited, [FORWARD])',
    ],
    [
      'smtp-max-data-chunks',
      'max-data holds for chunks (cisco-ios 1.2)',
      'if (chunkBytes > policy.maxDataBytes) {',
      'if (false) {',
    ],
    [
      'smtp-max-data-chunks-together',
      'max-data holds for the chunks of a message together (cisco-ios 1.2)',
      'const chunkBytes = state.chunkBytes + bytes;',
      'const chunkBytes = bytes;',
    ],
    [
      'smtp-secret-not-quoted',
      'what follows a refused AUTH may be a secret and is not quoted (secrets are never logged)',
      "const word = secretsMayFollow ? '' : (/^[A-Za-z0-9-]*/.exec(verb)?.[0] ?? '');",
      "const word = /^[A-Za-z0-9-]*/.exec(verb)?.[0] ?? '';",
      [DIALOGUES, MACHINE],
    ],
    [
      'smtp-verb-quoted-plain',
      'an alert quotes a verb up to its first odd octet (log injection)',
      "(/^[A-Za-z0-9-]*/.exec(verb)?.[0] ?? '')",
      'verb',
      [DIALOGUES, MACHINE],
    ],
    [
      'smtp-verb-quoted-short',
      'an alert quotes 32 characters of a verb at most (log injection)',
      'text: word.slice(0, QUOTED_VERB_MAX)',
      'text: word',
      [DIALOGUES, MACHINE],
    ],
  ],
);

const message = guardsOf(
  'src/protocols/smtp/message.ts',
  ['src/policy/application/nested-chunks.test.ts'],
  [
    [
      'smtp-chunk-behind-last',
      'a chunk behind the last one is of another message, whenever that one is answered (RFC 3030 2)',
      "if (over.message === 'none' || over.unanswered.some(mayCarryMail)) return",
      "if (over.message === 'none') return",
    ],
    [
      'smtp-reset-undone',
      'a RSET that the server refused ends no message (RFC 5321 4.1.1.5)',
      'if (isTrustedReset(rule)) return over.unanswered.some(mayCarryMail);',
      'if (isTrustedReset(rule)) return false;',
      [DIALOGUES],
    ],
    [
      'smtp-last-chunk-refused',
      'a last chunk that the server refuses ends no message: Exim goes on with the transaction (RFC 3030 2)',
      "if (effect === 'closesMail') return accepted || rule !== LAST_CHUNK;",
      "if (effect === 'closesMail') return true;",
    ],
    [
      'smtp-last-chunk-undone',
      'nor is what was pipelined behind it another message (RFC 3030 2)',
      'return over.unanswered.slice(0, cleared < 0 ? undefined : cleared).some(mayCarryMail);',
      'return false;',
    ],
  ],
);

const grammar = guardsOf(
  'src/protocols/smtp/grammar.ts',
  [DIALOGUES],
  [
    [
      'smtp-data-holds',
      'what is pipelined behind DATA waits for its answer (RFC 2920 3.1)',
      "goAhead: { code: '354', wants: 'data' }, holdsInitiator: true }",
      "goAhead: { code: '354', wants: 'data' }, holdsInitiator: false }",
    ],
    [
      'smtp-starttls-holds',
      'what is pipelined behind STARTTLS waits for its answer (RFC 3207 4, CVE-2011-0411)',
      "effect: 'startsTls',\n    holdsInitiator: true,",
      "effect: 'startsTls',\n    holdsInitiator: false,",
    ],
    [
      'smtp-auth-holds',
      'what is pipelined behind AUTH waits for its answer (RFC 4954 4)',
      "goAhead: { code: '334', wants: 'sasl' }, holdsInitiator: true },",
      "goAhead: { code: '334', wants: 'sasl' }, holdsInitiator: false },",
    ],
    [
      'smtp-sasl-holds',
      'what is pipelined behind a SASL response waits for its answer (RFC 4954 4)',
      "goAhead: { code: '334', wants: 'sasl' },\n  holdsInitiator: true,",
      "goAhead: { code: '334', wants: 'sasl' },\n  holdsInitiator: false,",
    ],
    [
      'smtp-data-answers',
      'DATA is not answered by 2xx: the text would be read as commands (RFC 5321 4.1.1.4)',
      "verb: 'DATA', success: [], ",
      "verb: 'DATA', ",
    ],
    [
      'smtp-esmtp-only',
      'without extended inspection the verbs of ESMTP are masked (cisco-ios 3.8)',
      "case 'esmtp':\n      return extended;",
      "case 'esmtp':\n      return true;",
    ],
    [
      'smtp-starttls-masked',
      'STARTTLS is masked where policy says so (contract: starttls mask)',
      "return extended && policy.starttls === 'allow';",
      'return extended;',
    ],
    [
      'smtp-bdat-offered',
      'BDAT passes only to a server that offered CHUNKING (RFC 3030 2)',
      "policy.chunking === 'allow' && offered.chunking",
      "policy.chunking === 'allow'",
    ],
    [
      'smtp-burl-never',
      'BURL never passes: its text would not be seen (RFC 4468)',
      "policy.verbs === 'open' && rule.verb !== 'BURL' && ",
      "policy.verbs === 'open' && ",
      [LINES, DIALOGUES],
    ],
    [
      'smtp-archaic-never',
      'archaic attacks never pass (cisco-ios 3.8, signature 3104)',
      "rule.verb !== 'BURL' && rule.signature === undefined",
      "rule.verb !== 'BURL'",
      [LINES, DIALOGUES],
    ],
    [
      'smtp-masked-verbs',
      'a verb that policy masks is illegal (cisco-ios 3.9)',
      'if (isMaskedVerb(verb, policy)) return undefined;',
      '',
      [LINES, DIALOGUES],
    ],
    [
      'smtp-masked-verbs-under-way',
      'the octet that completes a masked verb does not pass (cisco-ios 3.9)',
      'return !beginsMasked(prefix, policy) && mayBeAnyVerb(prefix, policy, offered);',
      'return mayBeAnyVerb(prefix, policy, offered);',
      [LINES, DIALOGUES],
    ],
    [
      'smtp-open-verbs-dot',
      'where all verbs pass, a dot does not: a server that answers twice may read the end of a message (RFC 5321 4.1.1.4)',
      '/^(?!\\.)[!-~]*$/',
      '/^[!-~]*$/',
    ],
    [
      'smtp-open-verbs-forbidden',
      'where all verbs pass, none begins with a forbidden one (cisco-ios 3.9)',
      'if (!isLegal(rule, policy, offered)) return false;',
      '',
      [LINES, DIALOGUES],
    ],
    [
      'smtp-open-verbs-lenient',
      'where all verbs pass, none is what a lenient server reads as a known one (cisco-ios 3.9)',
      'if (/^[^A-Z0-9-]/.test(rest) || (rule.keyword !== undefined && rest.startsWith(rule.keyword))) return false;',
      '',
      [LINES, DIALOGUES],
    ],
  ],
);

const rest: readonly Guard[] = [
  ...guardsOf(
    'src/protocols/smtp/facts.ts',
    [STARTTLS],
    [
      [
        'smtp-starttls-any-success',
        'whatever 2xx answers EHLO ends the list of extensions (match starttls)',
        "answers?.effect !== 'greets' || !code.startsWith('2') || continued",
        "answers?.effect !== 'greets' || code !== '250' || continued",
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/smtp/state.ts',
    [DIALOGUES, MACHINE],
    [
      [
        'smtp-unanswered-bounded',
        'a client waits behind as many unanswered commands as are kept (limits.md)',
        'unanswered.length >= UNANSWERED_COMMANDS_MAX || ',
        '',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/smtp/machine.ts',
    [DIALOGUES, MACHINE],
    [
      [
        'smtp-data-after-end',
        'nothing follows the answer to QUIT (RFC 5321 4.1.1.10)',
        "if (state.expecting === 'nothing')",
        'if (false)',
      ],
      [
        'smtp-max-data',
        'a message over max-data is cut off and refused (cisco-ios 1.2)',
        'actions: onDataOverBudget(policy)',
        "actions: [{ kind: 'forward' }]",
      ],
      [
        'smtp-endless-line',
        'a line without end is refused at its budget (RFC 5321 4.5.3.1)',
        "byResponder ? refuseWithReset('line-too-long') : refuseWithWords(policy, 'line-too-long');",
        "byResponder ? [{ kind: 'forward' } as const] : [{ kind: 'forward' } as const];",
      ],
      [
        'smtp-undecided-cr',
        'a CR at the end of what has come is not judged before the next octet (design.md, prefixes)',
        'withoutUndecidedCr(frame.text)',
        'frame.text',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/smtp/framings.ts',
    [DIALOGUES, MACHINE],
    [
      [
        'smtp-look-alike',
        'what another server takes for the end of data is refused (RFC 5321 4.1.1.4, CVE-2023-51764)',
        "refuseWithWords(policy, 'end-of-data-look-alike')",
        '[FORWARD]',
      ],
      [
        'smtp-sasl-response',
        'a SASL response is base64, empty or * (RFC 4954 4)',
        'if (!isSaslResponse(text, true))',
        'if (false)',
      ],
      [
        'smtp-sasl-response-under-way',
        'and what cannot become one does not go ahead (RFC 4954 4)',
        'return isSaslResponse(text, false) ?',
        'return true ?',
      ],
    ],
  ),
];

export const SMTP: readonly Guard[] = [...commandLine, ...commands, ...message, ...grammar, ...rest];
