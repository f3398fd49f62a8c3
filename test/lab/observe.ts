import { join } from 'node:path';
import { startCapture } from './capture.ts';
import { type Script, type Talk, talk } from './dialogue.ts';
import type { World } from './world.ts';

/** A dialogue as both ends of the wire saw it. */
export interface Observed {
  readonly client: Talk;
  /** What reached the server's side of the router, and what the server said. */
  readonly toServer: string;
  readonly fromServer: string;
  /** Which ends were sent an RST. */
  readonly resets: { readonly client: boolean; readonly server: boolean };
}

let dialogues = 0;

/** Carries the script out with a capture on both sides of the router. */
export async function observe(world: World, script: Omit<Script, 'host'> & { host?: string }): Promise<Observed> {
  const wire = world.folder('wire');
  const number = ++dialogues;
  const outside = await startCapture(world.lab.router, 'outside0', join(wire, `${number}-outside.pcap`));
  const inside = await startCapture(world.lab.router, 'inside0', join(wire, `${number}-inside.pcap`));
  const client = await talk(world.lab.client, { host: world.lab.target.v4, ...script });
  await outside.stop();
  await inside.stop();
  const port = `.${script.port}`;
  const text = (wanted: (ends: string) => boolean) =>
    [...inside.streams()].flatMap(([ends, bytes]) => (wanted(ends) ? [bytes] : [])).join('\n');
  return {
    client,
    toServer: text((ends) => ends.endsWith(port)),
    fromServer: text((ends) => ends.includes(`${port}>`)),
    resets: {
      client: outside.segments().some(({ from, flags }) => flags.rst && from.endsWith(port)),
      server: inside.segments().some(({ to, flags }) => flags.rst && to.endsWith(port)),
    },
  };
}

/** Every way in which the secret could show: as it is, and as SASL sends it. */
export function formsOfSecret(user: string, password: string): string[] {
  const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');
  return [password, base64(password), base64(`\0${user}\0${password}`)];
}
