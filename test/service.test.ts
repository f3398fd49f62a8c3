import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfiguration } from '../src/commands/parse-configuration.ts';
import { rulesFor } from '../src/netfilter/rules.ts';
import { findProgram } from '../src/netfilter/run-command.ts';

/** Why a test cannot run here; said once, so that a skip is never silent. */
function missing(program: string): boolean {
  const absent = findProgram(program) === undefined;
  if (absent) console.warn(`skipped: ${program} is not installed`);
  return absent;
}

const UNIT = 'systemd/postern.service';
const unit = readFileSync(UNIT, 'utf8');
const settings = new Map(
  unit
    .split('\n')
    .filter((line) => /^[A-Z]\w+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);

describe('postern.service', () => {
  test.skipIf(missing('systemd-analyze'))('its exposure is 2.0 at most', () => {
    const report = execFileSync('systemd-analyze', ['security', '--offline=true', UNIT], { encoding: 'utf8' });
    const exposure = Number(/Overall exposure level for postern\.service: ([\d.]+)/.exec(report)?.[1]);
    expect(exposure).toBeGreaterThan(0);
    expect(exposure).toBeLessThanOrEqual(2.0);
  });

  test.skipIf(missing('systemd-analyze'))('systemd finds no unknown setting in it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-unit-'));
    try {
      // The program is not installed while tests run; everything else is judged as it stands.
      const path = join(folder, 'postern.service');
      writeFileSync(path, unit.replaceAll('/usr/bin/postern', '/bin/true').replace(/^Documentation=.*\n/m, ''));
      const said = execFileSync('bash', ['-c', `systemd-analyze verify --man=no '${path}' 2>&1 || true`], {
        encoding: 'utf8',
      });
      expect(said.split('\n').filter((line) => /postern\.service/.test(line))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('two capabilities and no other', () => {
    expect(settings.get('AmbientCapabilities')).toBe('CAP_NET_ADMIN CAP_NET_RAW');
    expect(settings.get('CapabilityBoundingSet')).toBe('CAP_NET_ADMIN CAP_NET_RAW');
    expect(settings.get('User')).toBe('postern');
  });

  test.each(['MemoryDenyWriteExecute', 'RestrictRealtime', 'ProcSubset', 'IPAddressDeny', 'PrivateNetwork'])(
    '%s would break it and is not set',
    (setting) => {
      expect(settings.has(setting)).toBe(false);
    },
  );

  test('it is watched, reloaded by HUP, and notifies', () => {
    expect(settings.get('Type')).toBe('notify');
    expect(Number(settings.get('WatchdogSec'))).toBeGreaterThan(2);
    expect(settings.get('ExecReload')).toContain('-HUP $MAINPID');
  });
});

describe('etc/postern.conf', () => {
  test('loads without an error or a notice and steers mail', () => {
    const parsed = parseConfiguration(readFileSync('etc/postern.conf', 'utf8'), 'postern.conf');
    expect(parsed.errors).toEqual([]);
    expect(parsed.notices).toEqual([]);
    const rules = rulesFor({ configuration: parsed.configuration, firstQueue: 0, workers: 1, hashKey: 1 });
    expect(rules.ipv4).toContain('--dports 25,110,143,587 -j POSTERN-QUEUE');
    expect(rules.ipv4).not.toContain('--queue-bypass');
  });
});

describe('manual pages', () => {
  const pages = readdirSync('man').filter((file) => /\.[1-8]$/.test(file));

  test('the four of them are there', () => {
    expect(pages.sort()).toEqual(['postern-messages.7', 'postern-run.8', 'postern.1', 'postern.conf.5']);
  });

  test.skipIf(missing('groff')).each(pages)('%s renders without a warning', (page) => {
    const said = execFileSync('bash', ['-c', `groff -man -ww -Tutf8 -z man/${page} 2>&1`], { encoding: 'utf8' });
    expect(said).toBe('');
  });
});

describe('etc', () => {
  test('bash completion is valid and completes', () => {
    const script = `
      _init_completion() { cur=\${COMP_WORDS[COMP_CWORD]}; prev=\${COMP_WORDS[COMP_CWORD-1]}
        words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; }
      source etc/bash-completion/postern
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _postern; echo "\${COMPREPLY[*]}"`;
    const complete = (...words: string[]): string =>
      execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' }).trim();
    expect(complete('postern', 're')).toBe('replay');
    expect(complete('postern', 'show', 'ip', 'inspect', 's')).toBe('sessions statistics');
    expect(complete('postern', 'rules', 'in')).toBe('install');
    expect(complete('postern', 'run', '--log-format', '')).toBe('ios json');
  });

  test.each([
    'sysusers.d/postern.conf',
    'tmpfiles.d/postern.conf',
    'sysctl.d/60-postern.conf',
    'modules-load.d/postern.conf',
  ])('%s is there', (file) => expect(existsSync(join('etc', file))).toBe(true));
});
