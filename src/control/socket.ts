import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';

/** Owner and group may talk to the daemon. */
const SOCKET_MODE = 0o660;
const SOCKET_UMASK = 0o117;
const PROBE_MS = 1_000;
/** unix(7): sun_path with its final zero octet. A longer one would silently be cut. */
const PATH_BYTES_MAX = 107;

/**
 * Binds the server to the path. A socket that nobody answers on is a leftover and is replaced; anything else is not
 * touched.
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
    throw new Error(`the path of the control socket is longer than ${PATH_BYTES_MAX} bytes: ${path}`);
  }
  // libuv would call it a missing permission.
  if (!existsSync(dirname(path))) throw new Error(`the folder ${dirname(path)} of the control socket does not exist`);
  await removeStaleSocket(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // The mode must be right from the first moment: a socket is bound within listen().
    const umask = process.umask(SOCKET_UMASK);
    try {
      server.listen(path, () => {
        server.removeListener('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
  chmodSync(path, SOCKET_MODE);
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path} is in the way: it is not a socket`);
  if (await answers(path)) throw new Error(`another Postern answers on ${path}`);
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    const done = (answer: boolean): void => {
      probe.destroy();
      resolve(answer);
    };
    // A listener whose backlog is full does not refuse: it is alive.
    probe.setTimeout(PROBE_MS, () => done(true));
    probe.once('connect', () => done(true));
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') done(false);
      else reject(new Error(`cannot tell whether ${path} is in use: ${error.message}`));
    });
  });
}
