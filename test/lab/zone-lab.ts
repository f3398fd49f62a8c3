import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Crossing, cross } from './crossing.ts';
import { ADDRESSES, createLab, type Lab } from './lab.ts';
import { type LogLine, type Postern, startPostern } from './postern.ts';

/** The lab's client is outside, its server in the DMZ, the router between them has policies. */
export const BOTH_ZONES = [
  'interface outside0',
  ' zone-member security outside',
  'interface inside0',
  ' zone-member security dmz',
];
export const PAIR = ['zone-pair security OUT-DMZ source outside destination dmz', ' service-policy type inspect P'];

/** Class maps: every protocol by its name, and what tests ask for beside. */
const CLASSES = [
  'ip access-list extended SINK',
  ` permit ip any host ${ADDRESSES.sink.v4}`,
  'ip access-list extended NOT-8070',
  ' deny tcp any any eq 8070',
  ` permit tcp any host ${ADDRESSES.sink.v4}`,
  ...['tcp', 'udp', 'icmp', 'http', 'smtp'].flatMap((name) => [
    `class-map type inspect match-all ${name.toUpperCase()}`,
    ` match protocol ${name}`,
  ]),
  'class-map type inspect match-all LISTED',
  ' match access-group name SINK',
  'class-map type inspect match-any WEB-OR-PING',
  ' match protocol http',
  ' match protocol icmp',
  'class-map type inspect match-all NESTED',
  ' match access-group name SINK',
  ' match class-map WEB-OR-PING',
  'class-map type inspect match-all HOLED',
  ' match access-group name NOT-8070',
];

/** `CLASS: action` each, `class-default` among them. */
export function policy(name: string, classes: Readonly<Record<string, string>>): readonly string[] {
  return [
    `policy-map type inspect ${name}`,
    ...Object.entries(classes).flatMap(([className, actions]) => [
      className === 'class-default' ? ' class class-default' : ` class type inspect ${className}`,
      ...actions.split('; ').map((action) => `  ${action}`),
    ]),
  ];
}

/** The classes of all tests, and what else is said. */
export const configuration = (...parts: readonly (readonly string[])[]): string =>
  [...CLASSES, 'zone security outside', 'zone security dmz', ...parts.flat(), ''].join('\n');

export type Ask = Omit<Crossing, 'to'> & { readonly to?: string };

/** A lab whose router has zones. */
export interface ZoneLab {
  readonly lab: Lab;
  readonly postern: Postern;
  told(mnemonic: string): LogLine[];
  /** Loads a configuration beside the classes of all tests. */
  load(...parts: readonly (readonly string[])[]): Promise<void>;
  /** A question from outside to the server, and back the other way, each with its answer. */
  inward(ask: Ask): Promise<string>;
  outward(ask: Ask): Promise<string>;
  toRouter(ask: Ask): Promise<string>;
  fromRouter(ask: Ask): Promise<string>;
  close(): Promise<void>;
}

export async function createZoneLab(): Promise<ZoneLab> {
  const lab = await createLab();
  const { client, router, server } = lab;
  const postern = await startPostern({ router, folder: lab.folder, configuration: configuration() });
  const told = (mnemonic: string) => postern.log().filter((line) => line.mnemonic === mnemonic);
  return {
    lab,
    postern,
    told,
    async load(...parts) {
      const before = told('CONFIG_RELOADED').length;
      postern.reload(configuration(...parts));
      const deadline = Date.now() + 8_000;
      while (told('CONFIG_RELOADED').length === before && Date.now() < deadline) await delay(20);
      expect(told('CONFIG_RELOADED').length, postern.output().slice(-2_000)).toBe(before + 1);
    },
    inward: (ask) => cross(client, server, { to: ADDRESSES.sink.v4, ...ask }),
    outward: (ask) => cross(server, client, { to: ADDRESSES.client.v4, ...ask }),
    toRouter: (ask) => cross(client, router, { to: ADDRESSES.routerOutside.v4, ...ask }),
    fromRouter: (ask) => cross(router, client, { to: ADDRESSES.client.v4, ...ask }),
    async close() {
      await postern.stop();
      await lab.close();
    },
  };
}
