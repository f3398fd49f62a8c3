import { type Guard, guardsOf } from './guard.ts';

/** Guards of TLS, of what has to come before it, and of line ends, as far as TypeScript holds them. */

const SMTP = 'test/transcripts/smtp.test.ts';
const POP3 = 'test/transcripts/pop3.test.ts';
const IMAP = 'test/transcripts/imap.test.ts';
const SMTP_MACHINE = 'src/protocols/smtp/machine.test.ts';

const tls: readonly Guard[] = [
  ...guardsOf(
    'src/inspect/tls-start.ts',
    ['src/inspect/tls-start.test.ts', SMTP],
    [
      [
        'tls-minimum-version',
        'a hello below the minimum version is refused (tls minimum-version)',
        'if (version >= minimum) return undefined;',
        'return undefined;',
      ],
      [
        'tls-minimum-unknown',
        'so is one of which no version is known (tls minimum-version)',
        'frame.hello?.version ?? 0;',
        'frame.hello?.version ?? minimum;',
      ],
      [
        'tls-client-read-as-tls',
        "behind the go-ahead the client's octets are read as TLS (RFC 3207 4)",
        "{ kind: 'frameAs', from: 'initiator', mode: { kind: 'tls' } },",
        "{ kind: 'frameAs', from: 'initiator', mode: { kind: 'opaque' } },",
      ],
      [
        'tls-alert-passes',
        "a server's alert behind the client's hello passes, and no octet behind it that is no TLS (RFC 8446 6.2)",
        "if (awaits === 'responder' && frame.alert === true)",
        'if (false)',
      ],
      [
        'tls-server-read-as-tls',
        "behind the client's hello the server's octets are read as TLS (RFC 3207 4)",
        "const AWAIT_SERVER: Action = { kind: 'frameAs', from: 'responder', mode: { kind: 'tls', alerts: true } };",
        "const AWAIT_SERVER: Action = { kind: 'frameAs', from: 'responder', mode: { kind: 'opaque' } };",
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/tls/machine.ts',
    ['src/protocols/tls/machine.test.ts'],
    [
      [
        'tls-port-begins',
        'a port of TLS awaits a hello from its first octet, and the server says nothing before (RFC 8314 3)',
        'begin: AWAIT_TLS,',
        '',
      ],
      [
        'tls-port-plaintext',
        'plain text on a port of TLS is refused (RFC 8314 3)',
        "return refuse({ awaits }, start.reason === 'unexpected-frame' ? start.reason : 'tls-expected');",
        "return { state: { awaits }, actions: [{ kind: 'forward' }] };",
      ],
      [
        'tls-port-nothing-else',
        'a frame that nobody asked for is refused (what fails, closes)',
        ": refuse(state, 'unexpected-frame');",
        ": { state, actions: [{ kind: 'forward' }] };",
      ],
    ],
  ),
];

const before: readonly Guard[] = [
  ...guardsOf(
    'src/protocols/smtp/command-line.ts',
    [SMTP],
    [
      [
        'smtp-require-tls',
        'with require-tls AUTH is refused in clear (require-tls)',
        "if (isRefusedBeforeTls(text, policy)) return { kind: 'refused', reason: 'tls-required' };",
        '',
      ],
      [
        'smtp-require-tls-mail',
        'with require-tls mail MAIL is, too (require-tls)',
        "(rule.effect !== 'opensMail' || policy.requireTls === 'mail'),",
        "rule.effect !== 'opensMail',",
      ],
      [
        'smtp-require-tls-verb',
        'the octet that completes the verb is refused, no argument passes (require-tls)',
        'upper(text.slice(0, LONGEST_NEEDING_TLS))',
        "upper(/^[A-Za-z-]+(?= )/.exec(text)?.[0] ?? '')",
      ],
      [
        'smtp-require-tls-exchange',
        'AUTH by the names that Exchange has for it is refused, too, where policy lets them pass (require-tls)',
        "(rule.legal !== 'never' || policy.verbs === 'open') &&",
        "rule.legal !== 'never' &&",
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/pop3/authorization.ts',
    [POP3],
    [
      [
        'pop3-require-tls',
        'with require-tls no login begins in clear (require-tls)',
        'if (requireTls) return BEFORE_TLS_VERBS;',
        '',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/imap/not-authenticated.ts',
    [IMAP],
    [
      [
        'imap-require-tls',
        'with require-tls no login begins in clear (require-tls)',
        'if (requireTls) return BEFORE_TLS_VERBS;',
        '',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/imap/machine.ts',
    [IMAP],
    [
      [
        'imap-require-tls-preauth',
        'nor is one over that has not begun: PREAUTH is refused (require-tls)',
        'return policy.requireTls === true\n',
        'return false\n',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/imap/authenticated.ts',
    [IMAP, 'src/protocols/imap/machine.test.ts'],
    [
      [
        'imap-preauth-starttls',
        'behind PREAUTH, which somebody on the way may have made, there is no STARTTLS (RFC 9051 6.2.1)',
        "if (state.greeted) return refuseVerb(state, { verb: 'STARTTLS', tag }, policy);",
        '',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/smtp/facts.ts',
    ['test/transcripts/starttls-policy.test.ts', SMTP],
    [
      [
        'smtp-starttls-refused',
        'a server that refuses to begin TLS is as one without it: the client may go on in clear (RFC 3207 4)',
        "? [{ kind: 'starttls', offer: 'refused' }] : [];",
        '? [] : [];',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/pop3/authorization.ts',
    [POP3],
    [
      [
        'pop3-stls-refused',
        'so is one of POP3 that refuses STLS (RFC 2595 4)',
        "...(answered.onOk === 'startsTls' ? { facts: [{ kind: 'starttls', offer: 'refused' }] } : {}),",
        '',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/imap/answers.ts',
    [IMAP],
    [
      [
        'imap-starttls-refused',
        'and one of IMAP that refuses STARTTLS (RFC 9051 6.2.1)',
        "...(answered.onOk === 'startsTls' && !state.ended ? { facts: [{ kind: 'starttls', offer: 'refused' }] } : {}),",
        '',
      ],
    ],
  ),
  ...guardsOf(
    'src/policy/application/occurrence.ts',
    ['test/transcripts/starttls-policy.test.ts'],
    [
      [
        'policy-starttls-stripped',
        'STARTTLS that was overwritten on the way, or offered before, is missed (match starttls stripped)',
        "return what === 'missing' || offer === 'overwritten' || before;",
        "return what === 'missing';",
      ],
      [
        'policy-starttls-overwritten',
        'also in a first session, by what overwriting leaves (match starttls stripped)',
        "return what === 'missing' || offer === 'overwritten' || before;",
        "return what === 'missing' || before;",
      ],
    ],
  ),
  ...guardsOf(
    'src/engine/starttls-memory.ts',
    ['src/engine/starttls-memory.test.ts'],
    [
      [
        'starttls-memory-bounded',
        'as many servers are remembered as may be (limits.md)',
        'if (this.#servers.size >= STARTTLS_SERVERS_MAX) {',
        'if (false) {',
      ],
    ],
  ),
];

const lineEnds: readonly Guard[] = [
  ...guardsOf(
    'src/inspect/line-ends.ts',
    [POP3, IMAP, SMTP],
    [
      [
        'line-bare-cr',
        'a bare CR in a line is a fault (RFC 5321 2.3.8)',
        'if (bareCr && (nul < 0 || cr < nul)) return',
        'if (false) return',
      ],
      ['line-nul', 'so is a NUL (RFC 5321 2.3.8)', 'if (nul >= 0) return', 'if (false) return'],
      [
        'line-strict-bare-lf',
        'with line-endings strict so is a bare LF (line-endings)',
        "return frame.kind === 'line' && frame.end === 'bareLf' ?",
        'return false ?',
      ],
      [
        'line-reply-fault',
        'a reply that clients may read as two is refused (response injection)',
        "return fault.reason === 'bare-line-feed' ? undefined : { ...fault, reason: 'invalid-reply' };",
        'return undefined;',
      ],
      [
        'line-command-strict',
        'with line-endings strict a command has no line end but CRLF (line-endings)',
        "return endings === 'strict' ? findLineFault(frame) : undefined;",
        'return undefined;',
      ],
      [
        'line-head-first',
        'a line is refused for the fault that came first, however it was split (design.md, principle 4)',
        "return before.actions.some(({ kind }) => kind === 'refuse') ? before : judge",
        'return judge',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/smtp/machine.ts',
    [SMTP, SMTP_MACHINE],
    [
      [
        'smtp-strict-line-ends',
        'with line-endings strict no line of SMTP ends but in CRLF (line-endings)',
        "if (policy.lineEndings !== 'strict') return undefined;",
        'return undefined;',
      ],
    ],
  ),
  ...guardsOf(
    'src/protocols/smtp/framings.ts',
    [SMTP, SMTP_MACHINE],
    [
      [
        'smtp-look-alike-overwritten',
        'what is let on as tolerant has lost the octet that tells (line-endings tolerant)',
        'actions: [OVERWRITE, FORWARD, ...told]',
        'actions: [FORWARD, ...told]',
      ],
      [
        'smtp-look-alike-mendable',
        'where one octet does not do it, tolerant refuses (line-endings tolerant)',
        "if (policy.lineEndings === 'tolerant' && mendable) {",
        "if (policy.lineEndings === 'tolerant') {",
        [SMTP_MACHINE],
      ],
      [
        'smtp-look-alike-tolerant',
        'and every other policy always (line-endings)',
        "if (policy.lineEndings === 'tolerant' && mendable) {",
        'if (mendable) {',
        [SMTP_MACHINE],
      ],
    ],
  ),
];

/** What is configured reaches the machine. */
const configured: readonly Guard[] = [
  ...guardsOf(
    'src/engine/dialogues.ts',
    ['src/engine/dialogues.test.ts'],
    [
      [
        'require-tls-of-smtp',
        'require-tls of a rule or a class holds for its sessions of SMTP (require-tls)',
        "requireTls: requireTls === 'login' ? 'never' : requireTls",
        "requireTls: 'never'",
      ],
      [
        'require-tls-of-mailboxes',
        'and of POP3 and IMAP (require-tls)',
        "return { lineEndings, requireTls: requireTls === 'login' };",
        'return { lineEndings, requireTls: false };',
      ],
    ],
  ),
  ...guardsOf(
    'src/engine/zone-places.ts',
    ['src/engine/dialogues.test.ts'],
    [
      [
        'require-tls-of-class',
        'what a parameter-map says of require-tls is of its own protocols (require-tls)',
        "if (protocol === 'smtp') return requireTls;",
        '',
      ],
      [
        'line-endings-of-class',
        'line-endings of a parameter-map holds for its sessions (line-endings)',
        'lineEndings: settings.lineEndings,',
        "lineEndings: 'normalize',",
      ],
      [
        'tls-minimum-of-class',
        'tls minimum-version of a parameter-map holds for its sessions (tls minimum-version)',
        'settings.tlsMinimumVersion === undefined ?',
        'true ?',
      ],
    ],
  ),
  ...guardsOf(
    'src/engine/judge.ts',
    ['src/engine/judge.test.ts'],
    [
      [
        'tls-minimum-judged',
        'a hello is held to the minimum version before the dialogue sees it (tls minimum-version)',
        'refuseTlsVersion(frame, session.tlsMinimumVersion) ?? session.dialogue.step(frame)',
        'session.dialogue.step(frame)',
      ],
    ],
  ),
];

export const TLS: readonly Guard[] = [...tls, ...before, ...lineEnds, ...configured];
