import { type Guard, guardsOf } from './guard.ts';

/** Guards of what is told of a peer's words: logs, alerts and screens show nothing that a peer could forge, or a secret. */

const FORMAT = ['src/log/format.test.ts'];

export const LOG: readonly Guard[] = [
  ...guardsOf('src/log/text.ts', FORMAT, [
    [
      'log-controls-escaped',
      'control characters of a peer are escaped in a message (log injection)',
      'return cut.replace(UNSAFE, escapeCharacter);',
      'return cut;',
    ],
    [
      'log-separators-escaped',
      'so are separators of lines and paragraphs (log injection)',
      String.raw`[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\\]`,
      String.raw`[\p{Cc}\p{Bidi_Control}\\]`,
    ],
    [
      'log-bidi-escaped',
      'and what turns the direction of writing (log injection)',
      String.raw`[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\\]`,
      String.raw`[\p{Cc}\p{Zl}\p{Zp}\\]`,
    ],
    [
      'log-escape-escaped',
      'a backslash is doubled: no escape can be imitated (log injection)',
      String.raw`[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\\]`,
      String.raw`[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]`,
    ],
    [
      'log-text-bounded',
      "a peer's text has a length in a message (limits.md)",
      'text.length > charactersMax ?',
      'false ?',
    ],
    [
      'log-secret-behind-verb',
      'what follows a verb of credentials is left out (secrets are never logged)',
      'if (!verb) return text.replace(BASE64_RUN, REDACTED);',
      'if (!verb || text !== REDACTED) return text.replace(BASE64_RUN, REDACTED);',
    ],
    [
      'log-secret-glued',
      'also when it is glued to the verb (secrets are never logged)',
      '(?:AUTHENTICATE|AUTH|PASS|LOGIN|APOP)/i;',
      String.raw`(?:AUTHENTICATE|AUTH|PASS|LOGIN|APOP)\b/i;`,
    ],
    [
      'log-secret-base64',
      'so is what looks like a SASL response, wherever it stands (secrets are never logged)',
      'if (!verb) return text.replace(BASE64_RUN, REDACTED);',
      'if (!verb) return text;',
    ],
  ]),
  ...guardsOf('src/log/format.ts', FORMAT, [
    [
      'log-secret-redacted',
      "a message's text from the wire goes without its secrets (secrets are never logged)",
      'escapeText(redactSecrets(value), LOG_WIRE_TEXT_CHARACTERS_MAX)',
      'escapeText(value, LOG_WIRE_TEXT_CHARACTERS_MAX)',
    ],
  ]),
  ...guardsOf(
    'src/log/limiter.ts',
    ['src/log/logger.test.ts', 'src/log/format.test.ts'],
    [
      [
        'log-rate',
        'a peer writes so many messages of a kind in a window and no more (limits.md)',
        'if (window.written < LOG_MESSAGES_A_WINDOW_MAX) {',
        'if (true) {',
      ],
    ],
  ),
  ...guardsOf(
    'src/native/tls-hello.ts',
    ['src/native/tls-hello.test.ts'],
    [
      [
        'tls-name-printable',
        'names in a hello are shown as printable ASCII (log injection)',
        String.raw`octets.toString('latin1').replace(/[^\x21-\x7e]/g, '?')`,
        "octets.toString('latin1')",
      ],
      [
        'tls-names-bounded',
        'as many of its protocols as are kept (limits.md)',
        ' && names.length < TLS_ALPN_NAMES_MAX',
        '',
      ],
    ],
  ),
  ...guardsOf(
    'src/language/error-text.ts',
    ['src/language/match.test.ts'],
    [
      [
        'shell-line-printable',
        'a line that is refused is shown without its control characters (terminal injection)',
        "code < 0x20 || (code >= 0x7f && code < 0xa0) ? '?' :",
        "false ? '?' :",
      ],
    ],
  ),
];
