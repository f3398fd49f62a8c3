import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { CONFIGURATION_BYTES_MAX } from '../limits.ts';
import { NO_PATTERNS } from '../policy/application/pattern-sets.ts';
import { EMPTY_CONFIGURATION } from '../policy/configuration.ts';
import {
  ConfigurationError,
  loadConfiguration,
  noticeLines,
  rejectionLines,
  workerSettings,
} from './configuration-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-file-'));
const file = join(folder, 'postern.conf');
afterAll(() => rmSync(folder, { recursive: true }));

function errorsOf(path: string): readonly string[] {
  try {
    loadConfiguration(path);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.errors;
    throw error;
  }
  return [];
}

describe('loadConfiguration', () => {
  test('a good file, with what is to be said of it', () => {
    writeFileSync(file, 'hostname gate\nip inspect name A smtp\ninterface any\n ip inspect A in\nrouter bgp 1\n');
    const { configuration, notices } = loadConfiguration(file);
    expect(configuration.rules.map((rule) => rule.name)).toEqual(['A']);
    expect(notices.length).toBeGreaterThan(0);
    for (const notice of notices) expect(notice).toMatch(new RegExp(`^${file}:\\d+:\\d+: % notice: `));
  });

  test('all errors of a bad one at once, and nothing of it', () => {
    writeFileSync(file, 'ip inspect name A smtp bogus\nip inspect name B pop3\nip inspect max-incomplete high x\n');
    const errors = errorsOf(file);
    expect(errors.map((error) => error.replace(file, 'FILE').split(' ')[0])).toEqual(['FILE:1:24:', 'FILE:3:32:']);
  });

  test.each([
    ['one that is not there', join(folder, 'none'), /% Cannot be read: no such file or directory$/],
    ['a folder', folder, /% Cannot be read: illegal operation on a directory$/],
  ])('%s is an error with its name', (_, path, message) => {
    const [error, ...more] = errorsOf(path);
    expect(error).toMatch(message);
    expect(error?.startsWith(`${path}:1:1: % `)).toBe(true);
    expect(more).toEqual([]);
  });

  test('one too large is not read', () => {
    writeFileSync(file, '');
    truncateSync(file, CONFIGURATION_BYTES_MAX + 1);
    expect(errorsOf(file)[0]).toMatch(/larger than 33554432 bytes/);
  });

  test('octets that are no text are errors, not a crash', () => {
    writeFileSync(file, Buffer.from([0xff, 0xfe, 0, 10, 0x80, 10]));
    expect(errorsOf(file).length).toBeGreaterThan(0);
  });
});

describe('rejectionLines', () => {
  test('one line an error, without the marked line', () => {
    expect(rejectionLines(['f:1:2: % Bad\nlogin secret\n ^', 'f:3:1: % Worse'])).toEqual([
      'f:1:2: % Bad',
      'f:3:1: % Worse',
    ]);
  });

  test('says how many it leaves out', () => {
    const lines = rejectionLines(Array.from({ length: 25 }, (_, index) => `f:${index}:1: % Bad`));
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toContain('5 more');
  });
});

test('a file with many notices says so in few lines', () => {
  const lines = noticeLines(Array.from({ length: 25 }, (_, index) => `f:${index}:1: % notice`));
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toBe('5 more notice(s): postern check prints them all');
  expect(noticeLines(['f:1:1: % notice'])).toEqual(['f:1:1: % notice']);
});

describe('workerSettings', () => {
  test.each([
    [{ postern: { hostname: 'mx.example' }, hostname: 'gate' }, 'mx.example'],
    [{ hostname: 'gate' }, 'gate'],
    [{}, hostname()],
  ])('%j names itself %s', (changes, name) => {
    expect(workerSettings({ ...EMPTY_CONFIGURATION, ...changes }, NO_PATTERNS).hostname).toBe(name);
  });

  test('survives the way to a worker', () => {
    const settings = workerSettings(EMPTY_CONFIGURATION, NO_PATTERNS);
    expect(structuredClone(settings)).toEqual(settings);
    const { offloadBoth, offloadResponder, clear, session } = settings.marks;
    expect(new Set([offloadBoth, offloadResponder, clear, session]).size).toBe(4);
  });
});
