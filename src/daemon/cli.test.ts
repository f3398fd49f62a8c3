import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runCli } from './cli.ts';

let folder: string;
let out = '';
let err = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-cli-'));
  out = '';
  err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text);
    return true;
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

async function check(text: string): Promise<number> {
  const file = join(folder, 'postern.conf');
  await writeFile(file, text);
  const code = await runCli(['check', file]);
  err = err.replaceAll(file, 'FILE');
  return code;
}

describe('check', () => {
  test('a good file answers 0 and says nothing', async () => {
    expect(await check('ip inspect name A smtp\ninterface any\n ip inspect A in\n')).toBe(0);
    expect([out, err]).toEqual(['', '']);
  });

  test('warnings answer 0', async () => {
    expect(await check('ip inspect name A ftp\n')).toBe(0);
    expect(err).toMatch(/^FILE:1:1: % notice: inspection of protocols other than/);
  });

  test('all errors come at once, at their places, in their order', async () => {
    expect(await check('ip inspect name A smtp bogus\nip inspect name A ftp\ninterface any\n ip inspect B in\n')).toBe(
      1,
    );
    expect(err.split('\n').filter((line) => line.startsWith('FILE'))).toEqual([
      "FILE:1:24: % Invalid input detected at '^' marker.",
      expect.stringMatching(/^FILE:2:1: % notice/),
      'FILE:4:13: % inspection rule B is not defined',
    ]);
    expect(err).toContain('\nip inspect name A smtp bogus\n                       ^\n');
  });

  test('a pattern that the engine does not take is an error at its place', async () => {
    const policy = (pattern: string) =>
      [
        ...['parameter-map type regex WORDS', ` pattern "${pattern}"`],
        ...['class-map type inspect smtp match-any C', ' match header regex WORDS'],
        ...['policy-map type inspect smtp P', ' class type inspect smtp C', '  log', ''],
      ].join('\n');
    expect(await check(policy('spam'))).toBe(0);
    expect(await check(policy('(ab){9999}'))).toBe(1);
    expect(err).toContain(
      'FILE:2:11: % Pattern "(ab){9999}" of parameter-map WORDS: Resource limit exceeded\n pattern "(ab){9999}"\n          ^\n',
    );
  });

  test('a missing file answers 1, wrong usage 2', async () => {
    expect(await runCli(['check', join(folder, 'none')])).toBe(1);
    expect(await runCli(['check', 'a', 'b'])).toBe(2);
    expect(await runCli(['check', '--bogus'])).toBe(2);
  });
});

describe('the dispatcher', () => {
  test('help and version go to stdout', async () => {
    expect(await runCli(['--help'])).toBe(0);
    expect(out).toContain('usage: postern COMMAND');
    expect(await runCli(['--version'])).toBe(0);
    expect(out).toMatch(/postern \d+\.\d+\.\d+\n$/);
  });

  test('every command explains itself', async () => {
    for (const [command, word] of [
      ['run', '--install-rules'],
      ['rules', 'print|install|remove'],
      ['check', 'FILE'],
      ['replay', '--write'],
      ['doctor', '--queue'],
      ['shell', '--control'],
      ['show', '--json'],
      ['debug', '--control'],
    ] as const) {
      for (const argv of [
        [command, '--help'],
        ['help', command],
      ]) {
        out = '';
        expect(await runCli(argv)).toBe(0);
        expect(out).toMatch(/^usage: postern /);
        expect(out).toContain(word);
      }
    }
    expect(err).toBe('');
  });

  test('help on what is no command is wrong usage', async () => {
    expect(await runCli(['help', 'toString'])).toBe(2);
    expect(await runCli(['nonsense', '--help'])).toBe(2);
  });

  test('an unknown command is wrong usage', async () => {
    expect(await runCli(['shwo', 'ip'])).toBe(2);
    expect(err).toContain('unknown command shwo');
    expect(await runCli(['constructor'])).toBe(2);
    expect(await runCli(['show', '--bogus'])).toBe(2);
    expect(await runCli(['shell', 'extra'])).toBe(2);
  });

  test('exec commands may be cut, and may follow their options', async () => {
    const socket = join(folder, 'none.sock');
    expect(await runCli(['sh', 'ip', 'insp', 'sess', '--control', socket])).toBe(1);
    expect(err).toContain('is the daemon running?');
    err = '';
    expect(await runCli(['--json', '--control', socket, 'show', 'version'])).toBe(1);
    expect(err).toContain('is the daemon running?');
    expect(await runCli(['show', 'ip', 'nonsense', '--control', socket])).toBe(2);
    expect(await runCli(['debug', 'nonsense', '--control', socket])).toBe(2);
  });
});
