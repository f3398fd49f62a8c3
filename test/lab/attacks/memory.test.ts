import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, type Step, talk } from '../dialogue.ts';
import { ADDRESSES } from '../lab.ts';
import { PERMISSIVE, type Postern } from '../postern.ts';
import { inRepository } from '../repository.ts';
import { createWorld, posternOf, type World } from '../world.ts';
import { CONTENT_CONFIGURATIONS } from './content.ts';

/** Cases whose word is R, as large as they are written: what Postern keeps of them is measured, not assumed. */

const PATIENCE_MS = 120_000;
const SAMPLE_MS = 100;
/** What a run may hold at once beyond where it stood. Each of these streams is larger, or as large. */
const GROWN_KILOBYTES_MAX = 16_000;

/** Carries out `load` and answers by how much the daemon's resident memory exceeded what it was before, at its highest. */
async function grownBy(postern: Postern, load: () => Promise<void>): Promise<number> {
  const before = postern.residentKilobytes();
  let highest = before;
  const sampling = setInterval(() => {
    highest = Math.max(highest, postern.residentKilobytes());
  }, SAMPLE_MS);
  await load().finally(() => clearInterval(sampling));
  return Math.max(highest, postern.residentKilobytes()) - before;
}

function worldWith(configuration: string): () => World {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ configuration });
  });
  afterAll(async () => {
    await world?.close();
  });
  return () => world;
}

describe('under a policy for content', () => {
  const world = worldWith(CONTENT_CONFIGURATIONS.content);
  const message = (line: string) =>
    `From: <a@example.com>\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n${line}\r\n.\r\n`;
  const send = async (line: string): Promise<string> => {
    const steps: Step[] = [
      { expect: '^220 ' },
      ...exchange(['EHLO t.example', '^250 '], ['MAIL FROM:<a@example.com>', '^250 ']),
      ...exchange(['RCPT TO:<u@example.com>', '^250 '], ['DATA', '^354 ']),
      { send: message(line) },
      { expect: '^[245][0-9]{2} ', timeoutMs: PATIENCE_MS },
    ];
    const told = await talk(world().lab.client, { host: ADDRESSES.server.v4, port: 25, steps }, PATIENCE_MS);
    return told.received.trimEnd().split('\r\n').at(-1) ?? '';
  };

  it('MIM-40: a line of 50 MB of base64 passes, and is not kept', { timeout: PATIENCE_MS }, async () => {
    await send('QUFB');
    const grown = await grownBy(posternOf(world()), async () => {
      expect(await send('QUFB'.repeat(12_500_000))).toMatch(/^250 2\.0\.0 Ok: queued/);
    });
    console.log(`MIM-40: resident memory grew by ${grown} KB`);
    expect(grown).toBeLessThan(GROWN_KILOBYTES_MAX);
    expect((await world().postfix.waitForMail(2, PATIENCE_MS)).length).toBe(2);
  });

  it('MIM-40b: with SMUGGLED at its end it is refused', { timeout: PATIENCE_MS }, async () => {
    const grown = await grownBy(posternOf(world()), async () => {
      expect(await send(`${'QUFB'.repeat(12_500_000)}U01VR0dMRUQ=`)).toMatch(/^554 5\.7\.1 guard refused: the text/);
    });
    console.log(`MIM-40b: resident memory grew by ${grown} KB`);
    expect(grown).toBeLessThan(GROWN_KILOBYTES_MAX);
    expect(world().postfix.mailbox().length).toBe(2);
  });
});

describe('inspected', () => {
  const world = worldWith(PERMISSIVE);

  it('POP-31: an answer to CAPA of a million lines passes, and is not kept', { timeout: PATIENCE_MS }, async () => {
    const lines = 'X\r\n'.repeat(1_000_000);
    const parts = {
      [ADDRESSES.client.v4]: [
        { send: ['+OK ready\r\n'] },
        { hear: true },
        { send: ['+OK\r\n', lines] },
        { finish: true },
      ],
    };
    const input = JSON.stringify({ host: ADDRESSES.sink.v4, port: 110, parts });
    const actor = world().lab.server.start([process.execPath, inRepository('test', 'lab', 'attacks', 'actor.mjs')], {
      input,
    });
    await actor.waitFor(/listening/);
    const steps: Step[] = [
      { expect: '^\\+OK ready' },
      { send: 'CAPA\r\n' },
      { waitForEnd: true, timeoutMs: PATIENCE_MS },
    ];
    let received = '';
    const grown = await grownBy(posternOf(world()), async () => {
      const told = await talk(world().lab.client, { host: ADDRESSES.sink.v4, port: 110, steps }, PATIENCE_MS);
      received = told.received;
    });
    await actor.stop();
    console.log(`POP-31: ${received.length} octets arrived, resident memory grew by ${grown} KB`);
    expect(received).toBe(`+OK ready\r\n+OK\r\n${lines}`);
    expect(grown).toBeLessThan(GROWN_KILOBYTES_MAX);
  });
});
