import { REASONS } from '../inspect/reasons.ts';
import { type CatalogueEntry, MESSAGE_IDS, MESSAGES } from './messages.ts';
import { REASON_MESSAGES } from './reason-messages.ts';

/** `postern-messages(7)` from the catalogue, as roff for man(7). */
export function messagesManual(): string {
  const severity = (id: (typeof MESSAGE_IDS)[number]): number => MESSAGES[id].severity;
  const ordered = [...MESSAGE_IDS].sort((a, b) => severity(a) - severity(b) || (a < b ? -1 : 1));
  return `${[
    '.\\" Made from src/log/messages.ts; change it there.',
    '.TH POSTERN\\-MESSAGES 7 "" Postern "Postern manual"',
    '.SH NAME',
    'postern\\-messages \\- what Postern writes to its log',
    ...INTRODUCTION,
    '.SH MESSAGES',
    ...ordered.flatMap((id) => messageSection(id, MESSAGES[id])),
    '.SH REASONS',
    'The word in brackets at the end of a message, the field \\fIreason\\fR of a structured line, and the label of',
    '\\fBpostern_refusals_total\\fR.',
    ...Object.entries(REASONS).flatMap(([reason, words]) => [
      '.TP',
      `.B ${roff(reason)}`,
      `${sentence(roff(words))} (${REASON_MESSAGES[reason as keyof typeof REASONS]})`,
    ]),
    '.SH SEE ALSO',
    '.BR postern (1),',
    '.BR postern\\-run (8),',
    '.BR postern.conf (5)',
  ].join('\n')}\n`;
}

const INTRODUCTION = [
  '.SH DESCRIPTION',
  'A line has the form',
  '.PP',
  '.in +4n',
  '.nf',
  'Mon DD HH:MM:SS.mmm: %FACILITY\\-SEVERITY\\-MNEMONIC: text',
  '.fi',
  '.in',
  '.PP',
  'Messages of the facility \\fBFW\\fR are those of the Cisco IOS firewall, word for word; those of \\fBAPPFW\\fR tell of',
  'matches of application classes in the shape of its application firewall; those of \\fBPOSTERN\\fR are its own. The severity is that of syslog, from 0 (emergency) to 7 (debugging). With \\fB\\-\\-log\\-format json\\fR the',
  'same facts come as one JSON object a line, with \\fImnemonic\\fR, \\fIseverity\\fR, \\fImsg\\fR, \\fIinitiator\\fR,',
  '\\fIresponder\\fR, \\fIprotocol\\fR and, where they apply, \\fIreason\\fR, \\fIclass\\fR, \\fIzonePair\\fR, \\fIapplClass\\fR.',
  '.PP',
  'What a peer sent is quoted with its control characters escaped, and never with a secret. Messages marked',
  '\\(lqlimited\\(rq are written 50 times in ten seconds at most; \\fBSUPPRESSED\\fR tells how many were left out.',
  'For sessions of a zone pair, \\fB(target:class)\\-(\\fIzonePair\\fB:\\fIclass\\fB):\\fR stands before the text.',
  'A class of an application policy with \\fBshadow\\fR says \\(lqshadow, would be\\(rq before its action.',
];

function messageSection(id: string, entry: CatalogueEntry): readonly string[] {
  const fields = entry.text
    .replace('{shadowDetail}', '')
    .split(/\{(\w+)\}/)
    .map((part, index) => (index % 2 === 0 ? roff(part) : italic(part)));
  return [
    '.SS',
    `%${entry.facility}\\-${entry.severity}\\-${roff(id)}`,
    '.PP',
    '.in +4n',
    fields.join(''),
    '.in',
    '.PP',
    `${roff(entry.meaning)}${entry.limited ? ' (limited)' : ''}`,
  ];
}

function italic(name: string): string {
  return `\\fI${roff(name)}\\fR`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Text that roff prints as it is. */
function roff(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replace(/^\./gm, '\\&.');
}
