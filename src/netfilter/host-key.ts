import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Unique to a host and not told to the network (machine-id(5)). */
const MACHINE_ID_FILE = '/etc/machine-id';

/**
 * The key of the queue choice: the same at every start, so that rules can be installed again under running connections,
 * and not known outside. machine-id(5) asks to hash it with a name of one's own.
 */
export function queueHashKey(machineIdFile: string = MACHINE_ID_FILE): number {
  let machineId = '';
  try {
    machineId = readFileSync(machineIdFile, 'latin1').trim();
  } catch {
    // A container may have none. The choice of a queue is then guessable, which costs evenness and nothing else.
  }
  return createHash('sha256').update(`postern queue choice ${machineId}`).digest().readUInt32BE(0);
}
