import { exchange, type Step } from './dialogue.ts';
import { until } from './process.ts';
import { posternOf, type World } from './world.ts';
import { zoned } from './zone-policy.ts';

/** The application policy of the demo: a zone-pair from the client to the servers, and what it looks for in mail. */
const APPLICATION = [
  'parameter-map type regex LOTTERY',
  ' pattern "Subject:*lottery*"',
  'parameter-map type regex DOCUMENTS',
  ' pattern "*UD-421590*"',
  'parameter-map type regex HONEYPOT',
  ' pattern "^trap-[0-9]+@example\\.com$"',
  'class-map type inspect smtp match-any SPAM',
  ' match header regex LOTTERY',
  ' match sender learned',
  'class-map type inspect smtp match-any LEAK',
  ' match body regex DOCUMENTS decoded',
  'class-map type inspect smtp match-any HIDE',
  ' match cmd verb ETRN',
  ' match reply ehlo ETRN',
  'class-map type inspect smtp match-any TRAP',
  ' match recipient address regex HONEYPOT',
  'policy-map type inspect smtp AIC',
  ' class type inspect smtp SPAM',
  '  log',
  '  reset',
  ' class type inspect smtp LEAK',
  '  log',
  '  reset',
  ' class type inspect smtp HIDE',
  '  mask',
  ' class type inspect smtp TRAP',
  '  log',
  '  learn sender for 60',
].join('\n');

export const POLICY = zoned({ application: APPLICATION, policy: 'AIC' });

/** Puts a configuration in force and waits until it is. */
export async function enforce(world: World, configuration: string): Promise<void> {
  const postern = posternOf(world);
  const before = postern.log().length;
  postern.reload(configuration);
  await until('the new configuration', () =>
    postern
      .log()
      .slice(before)
      .some(({ mnemonic }) => mnemonic === 'CONFIG_RELOADED'),
  );
}

export interface PolicyScene {
  readonly title: string;
  readonly story: string;
  readonly steps: readonly Step[];
}

const GREETED: readonly Step[] = [{ expect: '^220 ' }, ...exchange(['EHLO client.lab.example', '^250 '])];
const BYE: readonly Step[] = [...exchange(['QUIT', '^221 ']), { waitForEnd: true }];
const ENVELOPE = exchange(['MAIL FROM:<a@example.org>', '^250 '], ['RCPT TO:<u@example.com>', '^250 ']);

function message(header: readonly string[], body: readonly string[]): readonly Step[] {
  const text = ['From: <a@example.org>', ...header, '', ...body, '.', ''].join('\r\n');
  return [...ENVELOPE, ...exchange(['DATA', '^354 ']), { send: text }, { expect: '^\\d' }];
}

const SECRET = Buffer.from('The terms of document UD-421590 are as follows.\r\n').toString('base64');

export const POLICY_SCENES: readonly PolicyScene[] = [
  {
    title: 'Hidden',
    story: 'The server offers ETRN; the policy takes it out of the answer, and out of what a client asks all the same.',
    steps: [...GREETED, ...exchange(['ETRN example.com', '^5']), ...BYE],
  },
  {
    title: 'Refused for its subject',
    story: 'The header is read as it passes. The server never gets the end of the message.',
    steps: [
      ...GREETED,
      ...message(['Subject: You won the lottery'], ['Send us your bank details.']),
      { waitForEnd: true },
    ],
  },
  {
    title: 'Refused for what base64 hides',
    story: 'IOS reads text as it is only; `decoded` reads what stands behind the encoding too, piece by piece.',
    steps: [
      ...GREETED,
      ...message(['Subject: terms', 'Content-Transfer-Encoding: base64'], [SECRET]),
      { waitForEnd: true },
    ],
  },
  {
    title: 'Learned from a honeypot',
    story: 'Nobody has the address trap-17. Who writes to it is remembered, ...',
    steps: [
      ...GREETED,
      ...exchange(['MAIL FROM:<offers@bulk.example>', '^250 '], ['RCPT TO:<trap-17@example.com>', '^250 ']),
      ...BYE,
    ],
  },
  {
    title: 'Learned from a honeypot',
    story: '... and refused the next time.',
    steps: [...GREETED, ...exchange(['MAIL FROM:<offers@bulk.example>', '^554 ']), { waitForEnd: true }],
  },
];
