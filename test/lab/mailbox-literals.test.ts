import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { talk } from './dialogue.ts';
import { ADDRESSES } from './lab.ts';
import { observe } from './observe.ts';
import { configurationOf } from './postern.ts';
import { createWorld, type World } from './world.ts';

/**
 * Literals that do not wait, behind what a real server does not read to its end: it runs their octets as commands, and
 * says so itself when it is asked without Postern in between. Behind Postern it never sees them.
 */

const HIDDEN = 'q NOOP\r\n';
const LITERAL = `{${HIDDEN.length}+}\r\n${HIDDEN}`;

const CASES = [
  { name: 'a tag with a closing bracket', at: 'server', line: `a] LOGIN "u1" ${LITERAL}\r\n` },
  { name: 'UTF-8 in an atom', at: 'server', line: `a LOGIN J\xc3\xb6rg ${LITERAL}\r\n` },
  { name: 'a field of ID that is too long', at: 'server', line: `a ID ("${'n'.repeat(31)}" ${LITERAL})\r\n` },
  {
    name: 'more octets than are read of a command',
    at: 'server',
    line: `a LANGUAGE${` {900+}\r\n${'n'.repeat(900)}`.repeat(9)} "${'l'.repeat(300)}" en ${LITERAL}\r\n`,
  },
  { name: 'a server that does not offer them', at: 'courier', line: `a ID ("name" ${LITERAL})\r\n` },
  { name: 'that server, and a login', at: 'courier', line: `a LOGIN u1 ${LITERAL}\r\n` },
] as const;

let world: World;
beforeAll(async () => {
  world = await createWorld({ configuration: configurationOf(['imap alert on']), courier: true });
}, 60_000);
afterAll(async () => {
  await world?.close();
});

describe.each(CASES)('$name', ({ at, line }) => {
  const host = ADDRESSES[at].v4;
  const greeted = { expect: '^\\* OK' };

  it('has the server run the octets', async () => {
    const steps = [greeted, { send: line }, { expect: '^q OK' }];
    const said = await talk(world.lab.server, { host, port: 143, steps });
    expect(said.stoppedAt, said.received).toBeUndefined();
  });

  it('is refused before any of them goes', async () => {
    const steps = [greeted, { send: line }, { expect: '^\\* BYE .* refused: ' }, { waitForEnd: true } as const];
    const seen = await observe(world, { host, port: 143, steps });
    expect(seen.client.stoppedAt, seen.client.received).toBeUndefined();
    expect(seen.toServer).not.toContain('NOOP');
    expect(seen.resets.server).toBe(true);
  });
});

it('a literal that does not wait passes where it is read alike', async () => {
  const steps = [{ expect: '^\\* OK' }, { send: `a ID ("name" ${LITERAL})\r\nb NOOP\r\n` }, { expect: '^b OK' }];
  const said = await talk(world.lab.client, { host: ADDRESSES.server.v4, port: 143, steps });
  expect(said.stoppedAt, said.received).toBeUndefined();
  expect(said.received).not.toMatch(/^q /m);
});
