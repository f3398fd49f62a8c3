import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Step, talk } from './dialogue.ts';
import { createWorld, posternOf, type World } from './world.ts';
import { zoned } from './zone-policy.ts';

/** What the shows, the log and the metrics tell of mail that went through a zone policy (cisco-ios 4.2, 5.8). */

const APPLICATION = [
  'parameter-map type regex SENDERS',
  ' pattern "*@bad\\.example"',
  'parameter-map type regex SUBJECTS',
  ' pattern "Subject:*forbidden*"',
  'class-map type inspect smtp match-any SENDER',
  ' match sender address regex SENDERS',
  'class-map type inspect smtp match-any HIDDEN',
  ' match cmd verb VRFY',
  ' match reply ehlo ETRN',
  'class-map type inspect smtp match-any TRIED',
  ' match header regex SUBJECTS',
  'policy-map type inspect smtp APP',
  ' class type inspect smtp SENDER',
  '  log',
  '  reset',
  ' class type inspect smtp HIDDEN',
  '  log',
  '  mask',
  ' class type inspect smtp TRIED',
  '  reset',
  '  shadow',
].join('\n');

const GREETED: readonly Step[] = [{ expect: '^220 ' }, ...exchange(['EHLO client.lab.example', '^250 '])];
const BYE: readonly Step[] = [...exchange(['QUIT', '^221 ']), { waitForEnd: true }];

function scrape(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path: '/metrics' }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        body += part;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
}

describe('mail through a zone-pair', () => {
  let world: World;
  beforeAll(async () => {
    const configuration = zoned({ application: APPLICATION, policy: 'APP' });
    world = await createWorld({ configuration });
    const { client, target } = world.lab;
    const say = (steps: readonly Step[]) => talk(client, { host: target.v4, port: 25, steps });
    await say([...GREETED, ...exchange(['VRFY root', '^5\\d\\d ']), ...BYE]);
    await say([...GREETED, ...exchange(['MAIL FROM:<x@bad.example>', '^554 ']), { waitForEnd: true }]);
    await say([
      ...GREETED,
      ...exchange(['MAIL FROM:<a@example.org>', '^250 '], ['RCPT TO:<u@example.com>', '^250 '], ['DATA', '^354 ']),
      ...exchange(['Subject: a forbidden one\r\n\r\ntext\r\n.', '^250 ']),
      ...BYE,
    ]);
  });
  afterAll(async () => {
    await world?.close();
  });

  const show = async (...words: readonly string[]): Promise<string> =>
    (await posternOf(world).exec('show', ...words)).stdout;
  const lines = (mnemonic: string) =>
    posternOf(world)
      .log()
      .filter((line) => line.mnemonic === mnemonic);

  it('is told in the shape of the application firewall, what was not done as such', () => {
    const where = 'session \\S+:\\d+ \\S+:25 on zone-pair OUT-DMZ class MAIL appl-class';
    expect(lines('SMTP_SENDER_ADDR_MATCHED').map(({ msg }) => msg)).toEqual([
      expect.stringMatching(new RegExp(`^Sender address \\(x@bad\\.example\\) matched - resetting ${where} SENDER$`)),
    ]);
    expect(lines('SMTP_CMD_VERB').map(({ msg }) => msg)).toEqual([
      expect.stringMatching(new RegExp(`^Command verb \\(VRFY\\) matched - masking ${where} HIDDEN$`)),
    ]);
    expect(lines('SMTP_HEADER_REGEX_MATCHED').map(({ msg }) => msg)).toEqual([
      expect.stringMatching(
        new RegExp(`^Header field \\(Subject\\) matched - shadow, would be resetting ${where} TRIED$`),
      ),
    ]);
    expect(lines('SESS_AUDIT_TRAIL_START')).toHaveLength(3);
    for (const { msg } of lines('SESS_AUDIT_TRAIL_START')) expect(msg).toMatch(/^\(target:class\)-\(OUT-DMZ:MAIL\):/);
  });

  it('is counted by class, would-have matches apart', async () => {
    const shown = await show('policy-map', 'type', 'inspect', 'zone-pair', 'OUT-DMZ');
    expect(shown).toContain('Session creations since subsystem startup or last reset 3\n');
    expect(shown).toMatch(/\n {8}tcp packets: \[(\d+):0\]\n {8}smtp packets: \[\1:0\]\n/);
    expect(shown).toMatch(/Class-map: SENDER \(match-any\)\n.*\n {12}1 packets, 25 bytes\n {10}1 packets, 25 bytes\n/);
    expect(shown).toMatch(/ {10}Match: cmd verb VRFY\n {12}1 packets, 9 bytes\n/);
    expect(shown).toMatch(/ {10}0 packets, 0 bytes\n {10}Would have been: 1 packets, \d+ bytes\n {10}Reset\n/);
    expect(await show('policy-firewall', 'stats', 'global')).toMatch(
      /Content: [1-9]\d* octets passed, [1-9]\d* octets/,
    );
  });

  it('is measured', async () => {
    const metrics = await scrape(posternOf(world).controlSocket);
    expect(metrics).toContain('postern_zone_sessions_total{zone_pair="OUT-DMZ",class="MAIL"} 3\n');
    const labels = '{zone_pair="OUT-DMZ",class="MAIL",policy="APP",appl_class="SENDER"}';
    expect(metrics).toContain(`postern_application_matches_total${labels} 1\n`);
    expect(metrics).toMatch(/^postern_content_scanned_octets_total [1-9]/m);
  });

  it('begins at nothing after clear zone-pair counter', async () => {
    const statistics = async () =>
      JSON.parse(await show('policy-map', 'type', 'inspect', 'zone-pair', '--json')) as [
        { readonly classes: readonly [{ readonly sessions: { readonly created: number } }] },
      ];
    expect((await statistics())[0].classes[0].sessions.created).toBe(3);
    await posternOf(world).exec('clear', 'zone-pair', 'OUT-DMZ', 'counter');
    expect((await statistics())[0].classes[0].sessions.created).toBe(0);
  });
});
