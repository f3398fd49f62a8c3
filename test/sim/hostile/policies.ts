import { parseConfiguration } from '../../../src/commands/parse-configuration.ts';
import { PatternCompiler } from '../../../src/daemon/pattern-compiler.ts';
import type { WorkerSettings } from '../../../src/engine/worker-protocol.ts';
import type { PatternAddon } from '../../../src/native/addon.ts';
import { patternPlanOf } from '../../../src/policy/application/patterns.ts';
import type { MailProtocol, Unit } from './reader.ts';

/** A configuration of the simulation, and what no server behind it may ever have read. */
export interface SimPolicy {
  readonly text: string;
  readonly forbids: (protocol: MailProtocol, unit: Unit) => boolean;
}

const ALWAYS = /^\s*(?:WIZ|DEBUG|TURN|ATRN|BURL|XEXCH50|XCLIENT|XFORWARD)\b/i;
const classic = (...lines: readonly string[]): string =>
  [...lines.map((line) => `ip inspect name R ${line}`), 'interface any', ' ip inspect R in', ''].join('\n');
const isCommand = (unit: Unit, pattern: RegExp): boolean =>
  unit.kind === 'line' && unit.mode === 'command' && pattern.test(unit.text);

const TLS_PORTS = ['smtps', 'pop3s', 'imaps'] as const;

const PLAIN: SimPolicy = {
  text: classic('esmtp', 'pop3', 'imap', ...TLS_PORTS),
  forbids: (protocol, unit) => protocol === 'smtp' && (isCommand(unit, ALWAYS) || isCommand(unit, /^BDAT/i)),
};

const SECURE: SimPolicy = {
  text: classic('smtp', 'pop3 secure-login reset', 'imap secure-login reset', ...TLS_PORTS),
  forbids(protocol, unit) {
    if (protocol === 'smtp') return isCommand(unit, ALWAYS) || isCommand(unit, /^(?:EHLO|ETRN|AUTH|BDAT)/i);
    if (protocol === 'pop3')
      return isCommand(unit, /^(?:PASS|USER)/i) || (unit.kind === 'line' && /AHUx/.test(unit.text));
    const secret = /s3cret|s3 \{3\}cret|AHUx/;
    return unit.kind === 'line' || unit.kind === 'counted' ? secret.test(unit.text) : false;
  },
};

const ZONES = [
  ...[
    'parameter-map type regex EVIL',
    ' pattern "evil@"',
    'parameter-map type regex LOT',
    ' pattern "Subject: *lottery"',
  ],
  ...['parameter-map type regex DOC', ' pattern "UD-42"'],
  ...['class-map type inspect smtp match-any VERB', ' match cmd verb VRFY'],
  ...['class-map type inspect smtp match-any FROM', ' match sender address regex EVIL'],
  ...['class-map type inspect smtp match-any HEAD', ' match header regex LOT'],
  ...['class-map type inspect smtp match-any BODY', ' match body regex DOC'],
  ...['class-map type inspect smtp match-any LONG', ' match data-length gt 900'],
  ...['class-map type inspect smtp match-any TURN', ' match cmd verb ETRN'],
  ...['policy-map type inspect smtp AIC'],
  ...['VERB', 'FROM', 'HEAD', 'BODY', 'LONG'].flatMap((name) => [
    ` class type inspect smtp ${name}`,
    '  reset',
    '  log',
  ]),
  ...[' class type inspect smtp TURN', '  mask'],
  ...['class-map type inspect pop3 match-any POPIN', ' match login clear-text'],
  ...['policy-map type inspect pop3 POPS', ' class type inspect pop3 POPIN', '  reset'],
  ...['class-map type inspect imap match-any IMAPIN', ' match login clear-text'],
  ...['policy-map type inspect imap IMAPS', ' class type inspect imap IMAPIN', '  reset'],
  ...['zone security outside', 'zone security inside'],
  ...['class-map type inspect match-any MAIL', ' match protocol smtp', 'class-map type inspect match-any POP'],
  ...[' match protocol pop3', 'class-map type inspect match-any IMAP', ' match protocol imap'],
  ...[
    'class-map type inspect match-any TLS',
    ' match protocol smtps',
    ' match protocol pop3s',
    ' match protocol imaps',
  ],
  ...['policy-map type inspect FW', ' class type inspect MAIL', '  inspect', '  service-policy smtp AIC'],
  ...[
    ' class type inspect POP',
    '  inspect',
    '  service-policy pop3 POPS',
    ' class type inspect IMAP',
    '  inspect',
    '  service-policy imap IMAPS',
    ' class type inspect TLS',
    '  inspect',
  ],
  ...['zone-pair security OUT-IN source outside destination inside', ' service-policy type inspect FW', ''],
].join('\n');

const LONG_BYTES = 900;
const ZONED: SimPolicy = {
  text: ZONES,
  forbids(protocol, unit) {
    if (protocol === 'pop3') return isCommand(unit, /^(?:PASS|USER)/i);
    if (protocol === 'imap') return isCommand(unit, /^t\d+ LOGIN u1/);
    if (unit.kind === 'line' && unit.mode === 'command')
      return /^(?:VRFY|ETRN|BDAT)\b|^MAIL FROM:<evil@/i.test(unit.text);
    return unit.kind === 'data' && (/UD-42|Subject: a lottery/.test(unit.text) || unit.text.length > LONG_BYTES + 3);
  },
};

const CHUNKED: SimPolicy = {
  text: `postern chunking inspect\n${ZONES}`,
  // A match over several chunks refuses at the last one.
  forbids: (protocol, unit) => !isCommand(unit, /^BDAT/i) && ZONED.forbids(protocol, unit),
};

const withLineEndings = (how: 'strict' | 'tolerant'): string =>
  classic(...['esmtp', 'pop3', 'imap'].map((protocol) => `${protocol} line-endings ${how}`), ...TLS_PORTS);

const STRICT: SimPolicy = {
  text: withLineEndings('strict'),
  forbids: (protocol, unit) =>
    // Sessions of POP3 and IMAP are read strictly until the login only, and not every reader knows when that was.
    PLAIN.forbids(protocol, unit) ||
    (protocol === 'smtp' && unit.kind === 'line' && (!unit.crlf || /[\r\0]/.test(unit.text))),
};

const TOLERANT: SimPolicy = { text: withLineEndings('tolerant'), forbids: PLAIN.forbids };

const LOGIN = {
  smtp: /^(?:AUTH|MAIL)\b/i,
  pop3: /^(?:USER|PASS|APOP|AUTH)\b/i,
  imap: /^t\d+ (?:LOGIN|AUTHENTICATE)\b/i,
};
const REQUIRED: SimPolicy = {
  text: classic('esmtp require-tls mail', 'pop3 require-tls login', 'imap require-tls login', ...TLS_PORTS),
  forbids: (protocol, unit) => PLAIN.forbids(protocol, unit) || isCommand(unit, LOGIN[protocol]),
};

export const POLICIES = [PLAIN, SECURE, ZONED, CHUNKED, STRICT, TOLERANT, REQUIRED] as const;

/** The settings of each policy, its patterns compiled. Throws where a configuration is not good. */
export async function settingsOf(patterns: PatternAddon): Promise<readonly WorkerSettings[]> {
  const compiler = new PatternCompiler(patterns);
  return Promise.all(
    POLICIES.map(async ({ text }) => {
      const { configuration, errors } = parseConfiguration(text, 'simulation');
      if (errors.length > 0) throw new Error(JSON.stringify(errors[0]));
      return {
        configuration,
        patterns: await compiler.compile(patternPlanOf(configuration)),
        hostname: 'fw.example',
        captureWithoutInterfaces: true,
        marks: { offloadBoth: 0, offloadResponder: 0, clear: 0, session: 0 },
      };
    }),
  );
}
