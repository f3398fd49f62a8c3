import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createFakeClient } from './fake-client.ts';
import { shellCompletions, shellHelp } from './modes.ts';
import { runPlain } from './plain.ts';
import { createSession, interpretLine, promptOf } from './session.ts';

const START = 'hostname Gate\nip inspect name OLD pop3\n';

async function play(text: string, start = START) {
  const client = createFakeClient(start);
  const output = new PassThrough();
  const code = await runPlain(client, Readable.from([text]), output);
  return { code, client, printed: String(output.read() ?? '') };
}

describe('modes', () => {
  test('what changes something needs enable', () => {
    const session = createSession('Gate');
    const [refused] = interpretLine(session, 'clear ip inspect session all').effects;
    expect(refused).toMatchObject({ kind: 'print', failed: true });
    const privileged = interpretLine(session, 'en').session;
    expect([promptOf(session), promptOf(privileged)]).toEqual(['Gate>', 'Gate#']);
    const [effect] = interpretLine(privileged, 'clear ip inspect session all').effects;
    expect(effect).toEqual({ kind: 'exec', command: 'clear ip inspect session all' });
    expect(promptOf(interpretLine(privileged, 'disable').session)).toBe('Gate>');
  });

  test('the caret stands under the word, prompt included', () => {
    const [effect] = interpretLine(createSession(undefined), 'show ip inpsect').effects;
    expect(effect).toEqual({
      kind: 'print',
      failed: true,
      text: `${' '.repeat('Router>show ip '.length)}^\n% Invalid input detected at '^' marker. (did you mean inspect?)\n`,
    });
  });

  test('comments and empty lines do nothing', () => {
    expect(interpretLine(createSession('x'), '  ').effects).toEqual([]);
    expect(interpretLine(createSession('x'), '! word').effects).toEqual([]);
  });
});

describe('a session from a pipe', () => {
  test('configures, and what end sends is in force', async () => {
    const { code, client, printed } = await play(
      'enable\nconf t\nhostname New\nip inspect name NEW smtp\ninterface eth0\nip inspect NEW in\nend\nshow version\nexit\nshow ip port-map\n',
    );
    expect(code).toBe(0);
    expect(client.running().interfaces).toEqual([{ name: 'eth0', inspectIn: 'NEW' }]);
    expect(client.running().rules.map((rule) => rule.name)).toEqual(['OLD', 'NEW']);
    expect(printed).toContain('New(config-if)# ip inspect NEW in\n');
    expect(printed).toContain('New#show version\nanswer to show version\n');
    expect(client.asked).not.toContain('show ip port-map');
  });

  test('zones have prompts of their own, and what does not fit is told with its line', async () => {
    const { client, printed } = await play(
      [
        ...['enable', 'conf t', 'zone security in', 'zone security self', 'zone security out', 'description away'],
        ...['zone-pair security Z source in destination out', 'description x', 'interface eth0', 'zone-mem sec in'],
        ...['ip inspect OLD in', 'no zone security in', 'end', ''],
      ].join('\n'),
    );
    expect(client.running().zones).toEqual([{ name: 'in' }, { name: 'out', description: 'away' }]);
    expect(client.running().interfaces).toEqual([{ name: 'eth0', zone: 'in' }]);
    expect(printed).toContain('Gate(config-sec-zone)# description away\n');
    expect(printed).toContain('Gate(config-sec-zone-pair)# description x\n');
    expect(printed).toContain('\n%Error: zone self is the router itself, it cannot be created or deleted\n');
    expect(printed).toContain("\n%Error: interface eth0 is a member of zone in and cannot have 'ip inspect OLD'\n");
    expect(printed).toContain('\n% Remove all interfaces from zone in first\n');
  });

  test('a refused line is told and left out, the rest stands', async () => {
    const { code, client, printed } = await play(
      'en\nconf t\nip inspect name OLD smtp bogus\nip inspect name B imap\n',
    );
    expect(code).toBe(1);
    expect(printed).toContain("% Invalid input detected at '^' marker.");
    expect(client.running().rules.map((rule) => rule.name)).toEqual(['OLD', 'B']);
    expect(client.asked).toContain('configure 1');
  });

  test('what the daemon refuses keeps the mode, so that it can be mended', async () => {
    const { client, printed } = await play(
      'en\nconf t\ninterface eth0\nip inspect MISSING in\nend\nip inspect name MISSING pop3\nend\n',
    );
    expect(printed).toContain('% inspection rule MISSING is not defined');
    expect(printed).toContain('Nothing was put in force');
    expect(client.running().interfaces).toEqual([{ name: 'eth0', inspectIn: 'MISSING' }]);
  });

  test('abort puts nothing in force', async () => {
    const { client } = await play('en\nconf t\nip inspect name NEW smtp\nabort\nshow version\n');
    expect(client.running().rules.map((rule) => rule.name)).toEqual(['OLD']);
    expect(client.asked.at(-1)).toBe('show version');
  });

  test('do runs a command from outside, and lines of a router are refused at the prompt', async () => {
    const { client, code } = await play('en\nconf t\ndo show ip inspect sessions | include x\nrouter ospf 1\nabort\n');
    expect(client.asked).toContain('show ip inspect sessions | include x');
    expect(code).toBe(1);
  });

  test('without a daemon it says so', async () => {
    const broken = { ...createFakeClient(''), exec: async () => ({ error: '% nobody there' }) };
    expect(await runPlain(broken, Readable.from(['show version\n']), new PassThrough())).toBe(1);
  });
});

describe('? and Tab', () => {
  test('know the mode', () => {
    const labels = (mode: 'interface' | undefined, privileged: boolean, typed: string) =>
      shellHelp(mode, privileged, typed).map((entry) => entry.label);
    expect(labels(undefined, false, '')).not.toContain('clear');
    expect(labels(undefined, true, '')).toContain('clear');
    expect(labels('interface', true, 'ip ')).toEqual(['access-group', 'inspect']);
    expect(labels('interface', true, '')).toContain('do');
    expect(labels('interface', true, 'do show ip inspect s')).toEqual(['sessions', 'sis', 'statistics']);
    expect(labels(undefined, true, 'show version | ')).toEqual(['begin', 'exclude', 'include']);
    expect(shellCompletions(undefined, true, 'conf')).toEqual(['configure']);
    expect(shellCompletions('interface', true, 'no ip ins')).toEqual(['inspect']);
  });
});
