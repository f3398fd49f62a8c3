import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cross } from './crossing.ts';
import { exchange, talk } from './dialogue.ts';
import { floodResult, routeFlood, startFlood } from './flood.ts';
import { ADDRESSES } from './lab.ts';
import { until } from './process.ts';
import { createWorld, posternOf, type World } from './world.ts';

/** A whole zone policy for mail (cisco-ios 6, C24 and C25), at real servers. */

const MAPS = `
ip access-list extended MAIL-SERVERS
 permit tcp any host ${ADDRESSES.server.v4}
parameter-map type inspect MAIL-PARAMS
 audit-trail on
 max-incomplete low 5
 max-incomplete high 10
 tcp synwait-time 3
class-map type inspect match-any MAIL-PROTOS
 match protocol smtp extended
 match protocol pop3
 match protocol imap
class-map type inspect match-all MAIL-IN
 match access-group name MAIL-SERVERS
 match class-map MAIL-PROTOS
class-map type inspect match-all SMTP-IN
 match access-group name MAIL-SERVERS
 match protocol smtp
class-map type inspect match-all BULK-MAIL
 match protocol smtp
policy-map type inspect OUT-TO-DMZ-POL
 class type inspect SMTP-IN
  inspect MAIL-PARAMS
 class type inspect MAIL-IN
  inspect MAIL-PARAMS
 class class-default
  drop log
policy-map type inspect LIMITED
 class type inspect BULK-MAIL
  inspect
  police rate 128000 burst 8000
 class class-default
  pass
zone security dmz
zone security outside
interface outside0
 zone-member security outside
interface inside0
 zone-member security dmz
zone-pair security OUT-TO-DMZ source outside destination dmz
`;
const WHOLE = `postern queue count 1\n${MAPS} service-policy type inspect OUT-TO-DMZ-POL\n`;
const LIMITED = `postern queue count 1\n${MAPS} service-policy type inspect LIMITED\n`;

describe('a zone policy for mail', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ configuration: WHOLE, exim: true });
    await routeFlood(world.lab);
  });
  afterAll(async () => {
    await world?.close();
  });

  const smtp = (host: string = ADDRESSES.server.v4) =>
    talk(world.lab.client, {
      host,
      port: 25,
      connectTimeoutMs: 2_000,
      steps: [
        { expect: '^220 ' },
        ...exchange(['EHLO me.example', '^250 '], ['QUIT', '^221 ']),
        { waitForEnd: true, timeoutMs: 5_000 },
      ],
    });
  const pop3 = () =>
    talk(world.lab.client, {
      host: ADDRESSES.server.v4,
      port: 110,
      connectTimeoutMs: 2_000,
      steps: [{ expect: '^\\+OK' }, ...exchange(['CAPA', '^\\.\\r\\n'], ['QUIT', '^\\+OK'])],
    });

  it('what the classes name is inspected by the first of them, without a pair for the answers (C24)', async () => {
    expect((await smtp()).stoppedAt).toBeUndefined();
    expect((await pop3()).stoppedAt).toBeUndefined();
    const start = (place: string, protocol: string) =>
      new RegExp(
        `\\(target:class\\)-\\(OUT-TO-DMZ:${place}\\):Start ${protocol} session: initiator \\(${ADDRESSES.client.v4}:`,
      );
    await posternOf(world).waitForLog(start('SMTP-IN', 'smtp'), 3_000);
    await posternOf(world).waitForLog(start('MAIL-IN', 'pop3'), 3_000);
  });

  it('mail for another server, and anything else, is dropped and told', async () => {
    const { client, server } = world.lab;
    expect((await smtp(ADDRESSES.exim.v4)).stoppedAt).toBe(0);
    expect(await cross(client, server, { to: ADDRESSES.server.v4, kind: 'tcp', port: 8_300 })).toBe('silence');
    expect(await cross(server, client, { to: ADDRESSES.client.v4, kind: 'tcp', port: 25 })).toBe('silence');
    const dropped = (end: string) =>
      new RegExp(`Dropping tcp session \\S+ ${end} on zone-pair OUT-TO-DMZ class class-default`);
    await posternOf(world).waitForLog(dropped(`${ADDRESSES.exim.v4}:25`), 3_000);
    await posternOf(world).waitForLog(dropped(`${ADDRESSES.server.v4}:8300`), 3_000);
    const { refusals } = await posternOf(world).statistics();
    expect(refusals['zone-drop']).toBeGreaterThanOrEqual(2);
    expect(refusals['no-zone-pair']).toBeGreaterThanOrEqual(1);
  });

  it('the thresholds of its parameter-map hold at the gate', async () => {
    const { client } = world.lab;
    const flood = startFlood(client, { synsASecond: 100, seconds: 10, count: 30, host: ADDRESSES.server.v4, seed: 9 });
    await flood.exited;
    expect(floodResult(flood.output()).sent).toBe(30);
    expect((await posternOf(world).statistics()).sessions.maxHalfOpen).toBe(11);
    await posternOf(world).waitForLog(/getting aggressive, count \(11\/10\)/, 3_000);
    const halfOpen = async () => (await posternOf(world).statistics()).sessions.halfOpen;
    await until('synwait to end them', async () => (await halfOpen()) === 0, 10_000);
    expect((await smtp()).stoppedAt).toBeUndefined();
  });

  it('police with inspect, and the rest passed without a session (C25)', async () => {
    const reloads = () =>
      posternOf(world)
        .log()
        .filter(({ mnemonic }) => mnemonic === 'CONFIG_RELOADED').length;
    const before = reloads();
    posternOf(world).reload(LIMITED);
    await until('the reload', async () => reloads() > before, 10_000);
    expect((await smtp(ADDRESSES.exim.v4)).stoppedAt).toBeUndefined();
    const { client, server } = world.lab;
    await server.must(['iptables', '-w', '-t', 'raw', '-A', 'PREROUTING', '-p', 'tcp', '--dport', '8301']);
    expect(await cross(client, server, { to: ADDRESSES.server.v4, kind: 'tcp', port: 8_301 })).toBe('silence');
    await delay(100);
    const arrived = await server.must(['iptables', '-w', '-t', 'raw', '-nvxL', 'PREROUTING']);
    expect(Number(/^ *(\d+) .*dpt:8301/m.exec(arrived)?.[1])).toBeGreaterThan(0);
  });
});
