import { realpathSync } from 'node:fs';
import { chmod, chown, rename, rm, stat, writeFile } from 'node:fs/promises';

const MODE_OF_NEW_FILE = 0o640;

/**
 * Writes the text beside the file and renames it over, so that a crash leaves the old file or the new one. Who may read
 * the file stays as it was, and a symbolic link stays one. Answers what went wrong, in IOS's `%` lines.
 */
export async function saveWhole(path: string, text: string): Promise<readonly string[]> {
  const target = resolved(path);
  const beside = `${target}.new`;
  try {
    const before = await stat(target).catch(() => undefined);
    // A leftover of a crash would keep its own mode.
    await rm(beside, { force: true });
    const mode = before === undefined ? MODE_OF_NEW_FILE : before.mode & 0o777;
    await writeFile(beside, text, { mode: 0o600, flush: true });
    // Apart from the creation, which the umask would narrow.
    await chmod(beside, mode);
    // Only root may give a file away; for everybody else it becomes the writer's.
    if (before !== undefined) await chown(beside, before.uid, before.gid).catch(() => undefined);
    await rename(beside, target);
    return [];
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    return [`% ${target} cannot be written: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
