import { zoned } from '../zone-policy.ts';
import type { ContentPolicy, UnderPolicy } from './cases.ts';
import type { Flow } from './stage.ts';
import type { Deeds } from './verdicts.ts';

/** Policies that what a message hides must not pass, and what has to be seen at both ends where it does not. */

interface Class {
  readonly name: string;
  readonly match: readonly string[];
}

function application(classes: readonly Class[], globals: readonly string[] = []): string {
  const maps = classes.flatMap(({ name, match }) => [
    `class-map type inspect smtp match-any ${name}`,
    ...match.map((words) => ` match ${words}`),
  ]);
  const policy = classes.flatMap(({ name }) => [` class type inspect smtp ${name}`, '  log', '  reset']);
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
];

const CHUNKS = ['postern chunking inspect'];
export const CONTENT_CONFIGURATIONS: Readonly<Record<ContentPolicy, string>> = {
  content: zoned({ application: application(CONTENT, PATTERNS), policy: 'P', globals: CHUNKS }),
  limits: zoned({ application: application(LIMITS), policy: 'P', globals: CHUNKS }),
};

const OUR_WORDS = /^554 5\.7\.1 guard refused: /m;

/** A refused message is refused in our words, with the right reason, and the server has nothing of it to deliver. */
export function judgeContent({ expect, reason }: UnderPolicy, flow: Flow, { messages }: Deeds): string[] {
  const refusal = flow.judged.find(({ verdict }) => verdict === 'refuse');
  if (expect !== 'B') return [];
  const found: string[] = [];
  if (!OUR_WORDS.test(flow.received)) found.push(`the client read ${JSON.stringify(flow.received.slice(-200))}`);
  if (messages !== undefined && messages > 0) found.push(`the server queued ${messages} messages`);
  if (reason !== undefined && refusal?.reason !== reason) found.push(`refused for ${refusal?.reason ?? 'nothing'}`);
  return found;
}
