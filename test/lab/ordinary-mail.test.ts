import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Step, talk } from './dialogue.ts';
import { asData, type OrdinaryMessage, ordinaryMessages } from './ordinary-messages.ts';
import { createWorld, posternOf, type World } from './world.ts';
import { zoned } from './zone-policy.ts';

/** Ordinary mail passes with every match armed on what it does not contain, and arrives as it was sent. */

const MESSAGES = 330;
const A_CONNECTION = 30;

const regex = (name: string, pattern: string): string => `parameter-map type regex ${name}\n pattern "${pattern}"`;

const MATCHES = [
  'sender address regex ABSENT-ADDRESS',
  'recipient address regex ABSENT-ADDRESS',
  'recipient count gt 60000',
  'recipient invalid count gt 60000',
  'cmd verb XABSENT',
  'cmd line length gt 1500',
  'header length gt 60000',
  'header regex ABSENT-HEADER',
  'body regex ABSENT-TEXT',
  'body regex ABSENT-DECODED decoded',
  'mime content-type regex ABSENT-TYPE',
  'mime encoding x-uuencode',
  'mime encoding unknown',
  'mime encoding binary',
  'reply ehlo XABSENT',
  'data-length gt 40000000',
  'sender learned',
  'client learned',
];

const APPLICATION = [
  regex('ABSENT-ADDRESS', '*@absent\\.example'),
  regex('ABSENT-HEADER', 'Subject:*absent from all of them*'),
  regex('ABSENT-TEXT', '*UD-421590*'),
  regex('ABSENT-DECODED', '(absent|missing)-[0-9]{6}'),
  regex('ABSENT-TYPE', '*video//*'),
  'class-map type inspect smtp match-any ARMED',
  ...MATCHES.map((words) => ` match ${words}`),
  'policy-map type inspect smtp P',
  ' class type inspect smtp ARMED',
  '  log',
  '  reset',
].join('\n');

const GREETED: readonly Step[] = [{ expect: '^220 ' }, ...exchange(['EHLO client.lab.example', '^250 '])];
const ENVELOPE = exchange(['MAIL FROM:<a@example.org> BODY=8BITMIME', '^250 '], ['RCPT TO:<u@example.com>', '^250 ']);

function byData(message: OrdinaryMessage): Step[] {
  return [...ENVELOPE, ...exchange(['DATA', '^354 ']), { send: asData(message) }, { expect: '^250 ' }];
}

/** In two chunks, cut where it happens to be. */
function byChunks({ text }: OrdinaryMessage): Step[] {
  const at = Math.floor(text.length / 3);
  const [first, rest] = [text.slice(0, at), text.slice(at)];
  return [
    ...ENVELOPE,
    ...[{ send: `BDAT ${first.length}\r\n${first}` }, { expect: '^250 ' }],
    ...[{ send: `BDAT ${rest.length} LAST\r\n${rest}` }, { expect: '^250 ' }],
  ];
}

describe.each([
  ['DATA', byData],
  ['BDAT', byChunks],
] as const)('%s', (_name, by) => {
  let world: World;
  beforeAll(async () => {
    const configuration = zoned({ application: APPLICATION, policy: 'P', globals: ['postern chunking inspect'] });
    world = await createWorld({ configuration });
  });
  afterAll(async () => {
    await world?.close();
  });

  it(`passes ${MESSAGES} ordinary messages, octet for octet`, { timeout: 240_000 }, async () => {
    const messages = ordinaryMessages(MESSAGES);
    for (let from = 0; from < messages.length; from += A_CONNECTION) {
      const some = messages.slice(from, from + A_CONNECTION);
      const steps = [...GREETED, ...some.flatMap(by), ...exchange(['QUIT', '^221 '])];
      const said = await talk(world.lab.client, { host: world.lab.target.v4, port: 25, steps });
      expect(said.stoppedAt, said.received.slice(-300)).toBeUndefined();
    }
    const stored = new Map(
      (await world.postfix.waitForMail(MESSAGES, 60_000)).map((text) => [/^Message-ID: (.*)$/m.exec(text)?.[1], text]),
    );
    const changed = messages.filter(({ id, text }) => stored.get(id)?.endsWith(text.replaceAll('\r\n', '\n')) !== true);
    expect(changed.map(({ id }) => id)).toEqual([]);
    const told = posternOf(world)
      .log()
      .filter(({ mnemonic }) => mnemonic?.startsWith('SMTP_'));
    expect(told).toEqual([]);
  });
});
