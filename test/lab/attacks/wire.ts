import { spawn } from 'node:child_process';
import type { Namespace } from '../namespaces.ts';
import { until } from '../process.ts';
import { inRepository } from '../repository.ts';

/** A packet socket on the namespace's `eth0`. */
export interface Wire {
  /** Sends an Ethernet frame as it is. */
  send(frame: Buffer): void;
  stop(): void;
}

/** `onFrame` has every frame that comes in, and those that the namespace itself sends. */
export async function openWire(space: Namespace, onFrame: (frame: Buffer) => void): Promise<Wire> {
  const program = ['perl', inRepository('test', 'lab', 'attacks', 'raw-wire.pl'), 'eth0'];
  const wire = spawn('ip', ['netns', 'exec', space.name, ...program], { stdio: ['pipe', 'pipe', 'inherit'] });
  let rest = '';
  let listening = false;
  wire.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'listening') listening = true;
      else onFrame(Buffer.from(line, 'hex'));
    }
  });
  await until('the raw wire', () => listening);
  return {
    send: (frame) => {
      wire.stdin.write(`${frame.toString('hex')}\n`);
    },
    stop: () => {
      wire.kill('SIGTERM');
    },
  };
}

/** The hardware address of a device. */
export async function macAddress(space: Namespace, device: string): Promise<string> {
  return (await space.must(['cat', `/sys/class/net/${device}/address`])).trim();
}
