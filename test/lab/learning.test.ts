import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Step } from './dialogue.ts';
import { observe } from './observe.ts';
import { type Postern, startPostern } from './postern.ts';
import { createWorld, posternOf, type World } from './world.ts';
import { zoned } from './zone-policy.ts';

/** A honeypot recipient that teaches, and policies that are only tried. */

const APPLICATION = [
  'parameter-map type regex HONEYPOT',
  ' pattern "^trap-[0-9]+@example\\.com$"',
  'class-map type inspect smtp match-any TRAP',
  ' match recipient address regex HONEYPOT',
  'class-map type inspect smtp match-any KNOWN',
  ' match sender learned',
  'class-map type inspect smtp match-any TRIED',
  ' match cmd verb VRFY',
  'policy-map type inspect smtp P',
  ' class type inspect smtp KNOWN',
  '  log',
  '  reset',
  ' class type inspect smtp TRAP',
  '  log',
  '  learn sender for 60',
  ' class type inspect smtp TRIED',
  '  log',
  '  reset',
  '  shadow',
].join('\n');

const CONFIGURATION = zoned({ application: APPLICATION, policy: 'P' });
const GREETED: readonly Step[] = [{ expect: '^220 ' }, ...exchange(['EHLO client.lab.example', '^250 '])];
const BYE = exchange(['QUIT', '^221 ']);

describe('learning', () => {
  let world: World;
  let postern: Postern;
  beforeAll(async () => {
    world = await createWorld({ configuration: CONFIGURATION });
    postern = posternOf(world);
  });
  afterAll(async () => {
    await postern?.stop();
    await world?.close();
  });

  const mailFrom = (sender: string, answer: string, rest: readonly Step[]) =>
    observe(world, { port: 25, steps: [...GREETED, ...exchange([`MAIL FROM:<${sender}>`, answer]), ...rest] });

  const isRefused = async (sender: string): Promise<boolean> => {
    const seen = await mailFrom(sender, '^(250|554) ', []);
    return /^554 5\.7\.1 guard refused: /m.test(seen.client.received);
  };

  it('learns who writes to the honeypot, and lets that message go on', async () => {
    const seen = await mailFrom('Spammer@bulk.example', '^250 ', [
      ...exchange(['RCPT TO:<trap-17@example.com>', '^250 ']),
      ...BYE,
    ]);
    expect(seen.client.stoppedAt).toBeUndefined();
    await expect
      .poll(async () => (await postern.exec('show', 'postern', 'learned')).stdout)
      .toContain('spammer@bulk.example');
    expect(postern.log().some(({ mnemonic }) => mnemonic === 'SMTP_RECIPIENT_ADDR_MATCHED')).toBe(true);
  });

  it('refuses that sender from now on, in any case of letters, and nobody else', async () => {
    expect(await isRefused('spammer@bulk.example')).toBe(true);
    expect(await isRefused('SPAMMER@BULK.EXAMPLE')).toBe(true);
    expect(await isRefused('somebody@bulk.example')).toBe(false);
    expect(await isRefused('')).toBe(false);
  });

  it('still knows it after a crash', { timeout: 60_000 }, async () => {
    process.kill(postern.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 500));
    postern = await startPostern({
      router: world.lab.router,
      folder: world.folder('postern'),
      configuration: CONFIGURATION,
    });
    expect(await isRefused('spammer@bulk.example')).toBe(true);
  });

  it('forgets it when told to', async () => {
    const cleared = await postern.exec('clear', 'postern', 'learned', 'all');
    expect(cleared.code, cleared.stderr).toBe(0);
    expect(await isRefused('spammer@bulk.example')).toBe(false);
  });

  it('carries nothing out under shadow, and tells what would have been', async () => {
    const seen = await observe(world, { port: 25, steps: [...GREETED, ...exchange(['VRFY u', '^2\\d\\d ']), ...BYE] });
    expect(seen.client.stoppedAt, seen.client.received).toBeUndefined();
    expect(seen.toServer).toMatch(/^VRFY u/m);
    await expect
      .poll(() => postern.log().find(({ mnemonic }) => mnemonic === 'SMTP_CMD_VERB')?.msg)
      .toMatch(/would|shadow/);
  });
});
