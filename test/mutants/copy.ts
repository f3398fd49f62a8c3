import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** What tests need beside the files of the repository; linked, and never written to. */
const LINKED = ['node_modules', 'build/native'] as const;
/** Where a file that is gone in the repository must be gone in the copy: builds take what they find there. */
const SOURCES = ['src', 'native', 'test'] as const;
const ARCHIVE_BYTES_MAX = 512 * 1_024 * 1_024;

/**
 * Makes or refreshes a copy of the repository at `root` in `copy`: of a commit, or of the work tree, whose files are
 * those that git tracks and new ones that it does not ignore. A file that is the same keeps its time, so that a build
 * in the copy is an incremental one.
 */
export function refreshCopy(root: string, copy: string, commit: string | undefined): void {
  const from = commit === undefined ? root : unpack(root, `${copy}-${commit}`, commit);
  const listing = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed =
    commit === undefined
      ? execFileSync('git', listing, { cwd: root }).toString('utf8').split('\0')
      : filesBelow(from).map((file) => relative(from, file));
  const files = new Set(listed.filter((file) => file !== '' && existsSync(join(from, file))));
  for (const file of files) copyIfOther(join(from, file), join(copy, file));
  if (from !== root) rmSync(from, { recursive: true });
  for (const folder of SOURCES) {
    for (const file of filesBelow(join(copy, folder))) if (!files.has(relative(copy, file))) rmSync(file);
  }
  for (const link of LINKED) {
    const path = join(copy, link);
    mkdirSync(dirname(path), { recursive: true });
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) symlinkSync(join(root, link), path);
  }
}

function unpack(root: string, to: string, commit: string): string {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const archive = execFileSync('git', ['archive', commit], { cwd: root, maxBuffer: ARCHIVE_BYTES_MAX });
  execFileSync('tar', ['-x', '-C', to], { input: archive });
  return to;
}

function copyIfOther(from: string, to: string): void {
  if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
