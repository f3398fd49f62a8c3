import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectControl } from './control-client.ts';
import { runDebug, runOneShot } from './one-shot.ts';

let folder: string;
let server: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-client-'));
});

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function serve(listener: RequestListener) {
  const path = join(folder, 'control.sock');
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(path, resolve));
  return connectControl(path);
}

function record() {
  const written = { out: '', err: '' };
  const streams = {
    out: (text: string) => {
      written.out += text;
    },
    err: (text: string) => {
      written.err += text;
    },
  };
  return { written, streams };
}

describe('one-shot commands', () => {
  test('send the command and print the answer', async () => {
    const client = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => response.end(JSON.stringify({ output: `${request.method} ${request.url} ${body}\n` })));
    });
    const { written, streams } = record();
    expect(await runOneShot(client, 'sh ip insp stat', true, streams)).toBe(0);
    expect(written.out).toBe('POST /exec {"command":"sh ip insp stat","json":true}\n');
  });

  test('a refusal goes to stderr and answers 1', async () => {
    const client = await serve((_request, response) => {
      response.statusCode = 400;
      response.end(JSON.stringify({ error: '% No session 12' }));
    });
    const { written, streams } = record();
    expect(await runOneShot(client, 'clear ip inspect session 12', false, streams)).toBe(1);
    expect(written).toEqual({ out: '', err: '% No session 12\n' });
  });

  test('what is no command never reaches the daemon and answers 2', async () => {
    let asked = 0;
    const client = await serve((_request, response) => {
      asked += 1;
      response.end('{}');
    });
    const { written, streams } = record();
    expect(await runOneShot(client, 'show ip inspect sesions', false, streams)).toBe(2);
    expect(written.err).toContain('did you mean sessions?');
    expect(await runOneShot(client, 'show ip', false, streams)).toBe(2);
    expect(asked).toBe(0);
  });

  test('garbage, an empty answer and no daemon are errors, not crashes', async () => {
    const garbage = await serve((_request, response) => response.end('<html>'));
    expect((await garbage.exec({ command: 'show version' })).error).toContain('no answer that can be read');
    const nobody = connectControl(join(folder, 'nobody.sock'));
    expect((await nobody.exec({ command: 'show version' })).error).toContain('is the daemon running?');
  });

  test('a daemon that dies in the middle of an answer is an error', async () => {
    const client = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('{"output":');
      setTimeout(() => response.destroy(), 20);
    });
    expect((await client.exec({ command: 'show version' })).error).toContain('% Cannot reach the daemon');
  });
});

describe('debug', () => {
  test('streams until interrupted', async () => {
    const client = await serve((_request, response) => {
      response.writeHead(200);
      response.write('CBAC open\n');
    });
    const { written, streams } = record();
    const controller = new AbortController();
    const ended = runDebug(
      client,
      'debug ip inspect events',
      {
        ...streams,
        out: (text) => {
          streams.out(text);
          controller.abort();
        },
      },
      controller.signal,
    );
    expect(await ended).toBe(0);
    expect(written.out).toBe('CBAC open\n');
  });

  test('refuses what is no topic', async () => {
    const client = connectControl(join(folder, 'nobody.sock'));
    const { written, streams } = record();
    expect(await runDebug(client, 'debug ip inspect x', streams, new AbortController().signal)).toBe(2);
    expect(written.err).toContain('% Invalid input');
  });
});
