import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { saveWhole } from './save-file.ts';

describe('saveWhole', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-save-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test.each([0o600, 0o640, 0o644])('replaces the text and keeps the mode %o', async (mode) => {
    const path = join(folder, 'postern.conf');
    writeFileSync(path, 'old', { mode });
    expect(await saveWhole(path, 'new')).toEqual([]);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(statSync(path).mode & 0o777).toBe(mode);
    expect(readdirSync(folder)).toEqual(['postern.conf']);
  });

  test('makes a file that is not there, for owner and group alone', async () => {
    const path = join(folder, 'postern.conf');
    expect(await saveWhole(path, 'new')).toEqual([]);
    expect(statSync(path).mode & 0o007).toBe(0);
  });

  test('writes through a symbolic link', async () => {
    const path = join(folder, 'real.conf');
    const link = join(folder, 'link.conf');
    writeFileSync(path, 'old');
    symlinkSync(path, link);
    expect(await saveWhole(link, 'new')).toEqual([]);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('new');
  });

  test('says what cannot be written, and leaves nothing behind', async () => {
    const path = join(folder, 'none', 'postern.conf');
    const [error, ...more] = await saveWhole(path, 'new');
    expect(error).toMatch(/^% .*none\/postern\.conf cannot be written: /);
    expect(more).toEqual([]);
  });
});
