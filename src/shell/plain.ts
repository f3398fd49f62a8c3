import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { ControlClient } from './control-client.ts';
import { type ShellOutput, startDriver } from './driver.ts';

/**
 * The shell where there is no terminal: lines come from a file or a pipe. Prompt and line are echoed, so that what is
 * printed reads as the session it was; at the end of the input an open configuration mode is left as `end` leaves it.
 */
export async function runPlain(client: ControlClient, input: Readable, stream: Writable): Promise<number> {
  const output: ShellOutput = {
    write: (text) => void stream.write(text),
    interrupted: () => new AbortController().signal,
  };
  const driver = await startDriver(client, output);
  if ('error' in driver) {
    process.stderr.write(`${driver.error}\n`);
    return 1;
  }
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    output.write(`${driver.prompt()}${line}\n`);
    if (!(await driver.run(line))) break;
  }
  await driver.end();
  return driver.failed() ? 1 : 0;
}
