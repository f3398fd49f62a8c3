import { PassThrough } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { expect, test } from 'vitest';
import { createFakeClient, type FakeClient } from './fake-client.ts';
import { runTerminal } from './terminal.ts';

/** A person at a terminal: types, waits until what is expected stands on the screen, types on. */
function openTerminal(client: FakeClient) {
  const modes: boolean[] = [];
  const input = Object.assign(new PassThrough(), { setRawMode: (mode: boolean) => modes.push(mode) });
  const screen = Object.assign(new PassThrough(), { columns: 200, rows: 50, isTTY: true });
  let shown = '';
  screen.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const ended = runTerminal(client, input as unknown as ReadStream, screen as unknown as WriteStream);
  const see = async (text: string) => {
    for (let tries = 0; tries < 300 && !shown.includes(text); tries += 1)
      await new Promise((done) => setTimeout(done, 10));
    expect(shown).toContain(text);
    shown = shown.slice(shown.indexOf(text) + text.length);
  };
  return { ended, modes, see, type: (text: string) => input.write(text) };
}

test('help without Enter keeps the line, Tab completes, Ctrl-Z ends the configuration mode', async () => {
  const client = createFakeClient('hostname Gate\n');
  const person = openTerminal(client);
  await person.see('Gate>');
  person.type('show ip ?');
  await person.see('port-map');
  await person.see('Gate>show ip ');
  person.type('port\t\r');
  await person.see('answer to show ip port-map');
  person.type('en\rconf t\r');
  await person.see('Gate(config)# ');
  person.type('ip inspect name A pop3\rinterface eth0\rip inspect A in\rno such\u001a');
  await person.see('Gate#');
  expect(client.running().interfaces).toEqual([{ name: 'eth0', inspectIn: 'A' }]);
  person.type('garbage\u0003');
  await person.see('^C');
  person.type('debug ip inspect pop3\r');
  await person.see('one event');
  person.type('exit\r');
  expect(await person.ended).toBe(0);
  expect(person.modes).toEqual([true, false]);
});

test('Ctrl-V lets a question mark into a pattern', async () => {
  const client = createFakeClient('');
  const person = openTerminal(client);
  await person.see('Router>');
  person.type('en\rconf t\rparameter-map type regex r\rpattern "a\u0016?b"\rend\r');
  await person.see('Router#');
  await person.see('Router#');
  expect(client.running().parameterMaps[0]?.lines).toEqual([['pattern', '"a?b"']]);
  person.type('\u0004');
  expect(await person.ended).toBe(0);
});
