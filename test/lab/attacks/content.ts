import { configurationOf } from '../postern.ts';
import { zoned } from '../zone-policy.ts';
import type { ContentPolicy, UnderPolicy } from './cases.ts';
import type { Flow } from './stage.ts';
import type { Deeds } from './verdicts.ts';

/** Policies that what a message hides must not pass, and what has to be seen at both ends where it does not. */

interface Class {
  readonly name: string;
  readonly match: readonly string[];
  /** Masks what it matches; else it resets the session. */
  readonly mask?: true;
}

function application(classes: readonly Class[], globals: readonly string[] = []): string {
  const maps = classes.flatMap(({ name, match }) => [
    `class-map type inspect smtp match-any ${name}`,
    ...match.map((words) => ` match ${words}`),
  ]);
  const policy = classes.flatMap(({ name, mask }) => [
    ` class type inspect smtp ${name}`,
    '  log',
    mask === true ? '  mask' : '  reset',
  ]);
  return [...globals, ...maps, 'policy-map type inspect smtp P', ...policy].join('\n');
}

const PATTERNS = [
  'parameter-map type regex WORDS',
  ' pattern "*SMUGGLED*"',
  'parameter-map type regex TYPES',
  ' ignore-case',
  ' pattern "*application/octet-stream*"',
];

const CONTENT: readonly Class[] = [
  { name: 'HEADERS', match: ['header regex WORDS'] },
  { name: 'TEXTS', match: ['body regex WORDS decoded'] },
  { name: 'PARTS', match: ['mime content-type regex TYPES'] },
  { name: 'ENCODINGS', match: ['mime encoding unknown', 'mime encoding x-uuencode', 'mime encoding binary'] },
];
const LIMITS: readonly Class[] = [
  { name: 'LINES', match: ['cmd line length gt 512'] },
  { name: 'HEADERS', match: ['header length gt 4096'] },
  { name: 'MESSAGES', match: ['data-length gt 10000'] },
  { name: 'REFUSED', match: ['recipient invalid count gt 2'] },
];
const ADDRESSES = [
  'parameter-map type regex SENDERS',
  ' pattern "@evil\\.test"',
  'parameter-map type regex RECIPIENTS',
  ' pattern "blocked@"',
];
/** The policy of thirteen classes that the second column of the cases is about, in its order. */
const AIC: readonly Class[] = [
  { name: 'AIC-1', match: ['cmd line length gt 512'] },
  { name: 'AIC-2', match: ['data-length gt 10000'] },
  { name: 'AIC-3', match: ['header regex WORDS'] },
  { name: 'AIC-4', match: ['body regex WORDS'] },
  { name: 'AIC-5', match: ['mime encoding unknown', 'mime encoding x-uuencode', 'mime encoding binary'] },
  { name: 'AIC-6', match: ['mime content-type regex TYPES'] },
  { name: 'AIC-7', match: ['recipient count gt 5'] },
  { name: 'AIC-8', match: ['sender address regex SENDERS'] },
  { name: 'AIC-9', match: ['recipient address regex RECIPIENTS'] },
  { name: 'AIC-10', match: ['header length gt 4096'] },
  {
    name: 'AIC-11',
    match: ['CHUNKING', 'PIPELINING', 'XCLIENT', 'AUTH'].map((word) => `reply ehlo ${word}`),
    mask: true,
  },
  { name: 'AIC-12', match: ['VRFY', 'EXPN', 'ETRN'].map((verb) => `cmd verb ${verb}`) },
  { name: 'AIC-13', match: ['recipient invalid count gt 3'] },
  // What the cases write for "a verb that must be judged": a policy hides verbs by their names alone (cisco-ios 3.9).
  { name: 'VERBS', match: ['XEXCH50', 'XCLIENT', 'ATRN', 'PROXY'].map((verb) => `cmd verb ${verb}`) },
];

const CHUNKS = ['postern chunking inspect'];
export const CONTENT_CONFIGURATIONS: Readonly<Record<ContentPolicy, string>> = {
  content: zoned({ application: application(CONTENT, PATTERNS), policy: 'P', globals: CHUNKS }),
  limits: zoned({ application: application(LIMITS), policy: 'P', globals: CHUNKS }),
  aic: zoned({ application: application(AIC, [...PATTERNS, ...ADDRESSES]), policy: 'P', globals: CHUNKS }),
};

/** Nothing but the protocol, with chunks let through: what a server makes of them is the question then. */
export const CHUNKED = configurationOf(['esmtp alert on'], CHUNKS);

const OUR_WORDS = /^5\d\d 5\.\d\.\d guard refused: /m;

/** Refused is: in our words, with the right reason, and the server has nothing of it to deliver. */
export function judgeContent(
  policy: ContentPolicy,
  { expect, reason, messagesBefore = 0 }: UnderPolicy,
  flow: Flow,
  { messages }: Deeds,
): string[] {
  const refusal = flow.judged.find(({ verdict }) => verdict === 'refuse');
  // The thirteen classes are about more than messages: what they refuse for no named reason may be masked, or cut off.
  if (expect !== 'B' || (policy === 'aic' && reason === undefined)) return [];
  const found: string[] = [];
  if (!OUR_WORDS.test(flow.received)) found.push(`the client read ${JSON.stringify(flow.received.slice(-200))}`);
  if (messages !== undefined && messages > messagesBefore) found.push(`the server queued ${messages} messages`);
  if (reason !== undefined && refusal?.reason !== reason) found.push(`refused for ${refusal?.reason ?? 'nothing'}`);
  return found;
}
