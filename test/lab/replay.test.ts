import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Capture, startCapture } from './capture.ts';
import { curlFetch, swaks } from './clients.ts';
import { exchange, type Step, talk } from './dialogue.ts';
import { MAIL_ACCOUNT } from './dovecot.ts';
import { plainMessage } from './messages.ts';
import { segmentsOf, streamsOf } from './pcap.ts';
import { configurationOf, type LogLine, replay, replayEvents } from './postern.ts';
import { createWorld, posternOf, type World } from './world.ts';

/** A capture made in front of the firewall, replayed through the same engine, tells the same story as the live run. */

const CONFIGURATION = configurationOf([
  'esmtp alert on audit-trail on',
  'pop3 alert on audit-trail on secure-login',
  'imap alert on audit-trail on',
]);

const { user, password } = MAIL_ACCOUNT;

/** Mnemonic, both ends and reason: what a run says about a session, without times. */
const told = (line: Pick<LogLine, 'mnemonic' | 'initiator' | 'responder' | 'reason'>) =>
  [line.mnemonic, line.initiator, line.responder, line.reason ?? ''].join(' ');

describe('replay', () => {
  let world: World;
  let capture: Capture;
  beforeAll(async () => {
    world = await createWorld({ configuration: CONFIGURATION });
    world.dovecot.deliver(plainMessage('to be fetched'));
    capture = await startCapture(world.lab.router, 'outside0', join(world.lab.folder, 'live.pcap'));
    const { client, target } = world.lab;
    await swaks(client, target.v4, plainMessage('passed'));
    const masked: Step[] = [{ expect: '^220 ' }, ...exchange(['XYZZY', '^5'], ['QUIT', '^221 '])];
    await talk(client, { host: target.v4, port: 25, steps: [...masked, { waitForEnd: true }] });
    await curlFetch(client, { scheme: 'imap', host: target.v6, path: 'INBOX;MAILINDEX=1' });
    const refused: Step[] = [
      { expect: '^\\+OK' },
      { send: `USER ${user}\r\nPASS ${password}\r\n` },
      { waitForEnd: true },
    ];
    await talk(client, { host: target.v4, port: 110, steps: refused });
    await capture.stop();
  });
  afterAll(async () => {
    await world?.close();
  });

  it('gives the verdicts of the live run', async () => {
    const finished = await replay(capture.file, posternOf(world).configurationFile, ['--json']);
    expect(finished.code, finished.stderr).toBe(0);
    const events = replayEvents(finished);
    const verdicts = new Set(events.map(({ reason }) => reason));
    expect(verdicts).toContain('cleartext-login');
    const live = posternOf(world)
      .log()
      .filter(({ mnemonic }) => mnemonic !== undefined && /COMMAND|LOGIN/.test(mnemonic));
    expect(live.length).toBeGreaterThanOrEqual(2);
    const replayed = new Set(
      events.map(({ message, initiator, responder, reason }) =>
        told({ mnemonic: /%?\w+-\d-(\w+)/.exec(message ?? '')?.[1], initiator, responder, reason } as LogLine),
      ),
    );
    for (const line of live) expect([...replayed].join('\n')).toContain(told(line));
  });

  it('says of every dropped packet whose it was and why', async () => {
    const events = replayEvents(await replay(capture.file, posternOf(world).configurationFile, ['--json']));
    const drops = events.filter(({ verdict }) => verdict === 'drop');
    expect(drops).not.toEqual([]);
    for (const drop of drops) {
      expect(drop).toMatchObject({ kind: 'drop', protocol: 'pop3', reason: expect.any(String) });
      expect(drop.initiator).toMatch(/^10\.80\.1\.2:\d+$/);
      expect(drop.responder).toBe('10.80.2.2:110');
    }
  });

  it('ends with a summary and keeps secrets to itself', async () => {
    const finished = await replay(capture.file, posternOf(world).configurationFile);
    expect(finished.code, finished.stderr).toBe(0);
    expect(finished.stdout.trim().split('\n').slice(-3).join('\n')).toMatch(/^\d+ packets: /m);
    expect(finished.stdout + finished.stderr).not.toContain(password);
  });

  it('writes what would have been forwarded', async () => {
    const out = join(world.lab.folder, 'forwarded.pcap');
    const finished = await replay(capture.file, posternOf(world).configurationFile, ['--write', out]);
    expect(finished.code, finished.stderr).toBe(0);
    const streams = [...streamsOf(segmentsOf(readFileSync(out))).values()].join('\n');
    expect(streams).toContain('xxxxx\r\n');
    expect(streams).not.toContain('XYZZY');
    expect(streams).not.toContain(`PASS ${password}`);
  });

  it.each([
    ['cut in the middle of a record', (bytes: Buffer) => bytes.subarray(0, bytes.length - 7)],
    ['with a record of an impossible length', corruptThirdRecord],
  ])('ends a capture %s with the number of its packet', async (name, damage) => {
    const file = join(world.lab.folder, `${name.replaceAll(' ', '-')}.pcap`);
    writeFileSync(file, damage(readFileSync(capture.file)));
    const finished = await replay(file, posternOf(world).configurationFile);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(/packet \d+/);
    expect(finished.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('refuses a file that is no capture', async () => {
    const file = join(world.lab.folder, 'noise.pcap');
    writeFileSync(file, 'this is not a capture');
    const finished = await replay(file, posternOf(world).configurationFile);
    expect(finished.code).toBe(1);
    expect(finished.stderr).not.toBe('');
  });
});

function corruptThirdRecord(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  let at = 24;
  for (let record = 1; record < 3; record++) at += 16 + copy.readUInt32LE(at + 8);
  copy.writeUInt32LE(0x7fff_ffff, at + 8);
  return copy;
}
