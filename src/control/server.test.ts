import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, createServer as createNetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CONTROL_REQUEST_BYTES_MAX, type ExecRequest } from './control-api.ts';
import { CONFIGURE_LINES_MAX, CONTROL_CONNECTIONS_MAX, CONTROL_STREAMS_MAX } from './limits.ts';
import { type ControlHandlers, type ControlServer, listenControl } from './server.ts';

let folder: string;
let path: string;
let server: ControlServer | undefined;
let subscribers: Set<(line: string) => void>;
let endStream: () => void;
let failures: unknown[];

const handlers: ControlHandlers = {
  async exec(request: ExecRequest) {
    if (request.command === 'fail') return { error: '% no such command' };
    if (request.command === 'throw') throw new Error('inner detail');
    return { output: `${request.command} ${request.json ?? 'text'}\n` };
  },
  configure: async ({ lines }) => ({ output: `${lines.length} lines\n` }),
  metrics: async () => 'postern_up 1\n',
  health: () => ({ ready: true, detail: 'judging' }),
  subscribe(command, { line, end }) {
    if (command !== 'debug ip inspect events') return { error: '% no such debug' };
    subscribers.add(line);
    endStream = end;
    return () => void subscribers.delete(line);
  },
  failed: (_what, error) => void failures.push(error),
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-control-'));
  path = join(folder, 'control.sock');
  subscribers = new Set();
  failures = [];
  server = await listenControl(path, handlers);
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly body: string;
}

function ask(method: string, url: string, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath: path, method, path: url }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Sends bytes as they are and answers all that came back until the daemon closed. */
function sendRaw(bytes: Uint8Array | string, options: { readonly end?: boolean } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
    socket.write(bytes);
    if (options.end) socket.end();
  });
}

const exec = (command: string): Promise<Answer> => ask('POST', '/exec', JSON.stringify({ command }));

async function expectAlive(): Promise<void> {
  expect(await exec('show version')).toEqual({ status: 200, body: '{"output":"show version text\\n"}' });
}

describe('routes', () => {
  test('exec answers output, and errors with 400', async () => {
    await expectAlive();
    expect(await ask('POST', '/exec', '{"command":"show","json":true}')).toEqual({
      status: 200,
      body: '{"output":"show true\\n"}',
    });
    expect(await exec('fail')).toEqual({ status: 400, body: '{"error":"% no such command"}' });
  });

  test('configure, metrics, health', async () => {
    expect(await ask('POST', '/configure', '{"lines":["hostname a","end"]}')).toEqual({
      status: 200,
      body: '{"output":"2 lines\\n"}',
    });
    expect(await ask('GET', '/metrics')).toEqual({ status: 200, body: 'postern_up 1\n' });
    expect(await ask('GET', '/health')).toEqual({ status: 200, body: '{"ready":true,"detail":"judging"}' });
  });

  test('the socket is open to owner and group only', () => {
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  test('an error of a handler is a 500 that tells nothing, and is handed to the log', async () => {
    const answer = await exec('throw');
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('inner detail');
    expect(failures).toHaveLength(1);
    await expectAlive();
  });
});

describe('bad requests', () => {
  test.each([
    ['POST', '/exec', 'not json', 400],
    ['POST', '/exec', '', 400],
    ['POST', '/exec', 'null', 400],
    ['POST', '/exec', '[]', 400],
    ['POST', '/exec', '{"command":5}', 400],
    ['POST', '/exec', '{"command":"a","json":"yes"}', 400],
    ['POST', '/exec', '{"__proto__":{"command":"a"}}', 400],
    ['POST', '/exec', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 400],
    ['POST', '/configure', '{"lines":"a"}', 400],
    ['POST', '/configure', '{"lines":[1]}', 400],
    ['POST', '/configure', JSON.stringify({ lines: Array(CONFIGURE_LINES_MAX + 1).fill('') }), 413],
    ['GET', '/exec', undefined, 405],
    ['POST', '/metrics', '', 405],
    ['GET', '/nothing', undefined, 404],
    ['GET', '/debug?command=debug%20all', undefined, 400],
    ['GET', '/debug?command=%', undefined, 400],
    ['GET', '/debug', undefined, 400],
  ])('%s %s %j gives %i', async (method, url, body, status) => {
    const answer = await ask(method, url, body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body).error).toMatch(/^% /);
    expect(failures).toEqual([]);
    await expectAlive();
  });

  test('a body over the limit gives 413; one at the limit is read', async () => {
    const fill = CONTROL_REQUEST_BYTES_MAX - '{"command":""}'.length;
    expect((await exec('a'.repeat(fill))).status).toBe(200);
    expect((await exec('a'.repeat(fill + 1))).status).toBe(413);
  });

  test('a body without end is not read to its end', async () => {
    const endless = await new Promise<number>((resolve) => {
      const request = httpRequest({ socketPath: path, method: 'POST', path: '/exec' }, (response: IncomingMessage) => {
        resolve(response.statusCode ?? 0);
        response.resume();
        request.destroy();
      });
      request.on('error', () => resolve(-1));
      const more = (): void => {
        while (!request.destroyed && request.write(Buffer.alloc(16_384, 0x61)));
        request.once('drain', more);
      };
      more();
    });
    expect([413, -1]).toContain(endless);
    await expectAlive();
  });

  test('garbage bytes get an answer that they are none, and the daemon lives', async () => {
    expect(await sendRaw('\x16\x03\x01\x02\x00\x01\x00')).toMatch(/^HTTP\/1\.1 400 .*% not a request/s);
    expect(await sendRaw(Buffer.alloc(100_000, 0xff))).toMatch(/^(HTTP\/1\.1 400 |$)/);
    expect(await sendRaw(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 4/);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        const answer = await sendRaw(bytes, { end: true });
        expect(answer).toMatch(/^(HTTP\/1\.1 [45]\d\d |$)/);
      }),
      { numRuns: 100 },
    );
    await expectAlive();
  });

  test('half a request whose sender leaves does no harm', async () => {
    await sendRaw('POST /exec HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"comm', { end: true });
    await sendRaw('POST /ex', { end: true });
    expect(failures).toEqual([]);
    await expectAlive();
  });

  test('half a request whose sender stays is given up', async () => {
    const answer = await sendRaw('POST /exec HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"comm');
    expect(answer).toMatch(/^HTTP\/1\.1 4/);
    await expectAlive();
  }, 15_000);

  test('two requests in one segment are both answered', async () => {
    const one = 'POST /exec HTTP/1.1\r\nhost: x\r\ncontent-length: 15\r\n\r\n{"command":"a"}';
    const last = one.replace('host: x', 'host: x\r\nconnection: close');
    expect((await sendRaw(one + last)).match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });
});

describe('many clients', () => {
  test('parallel commands are all answered, each with its own answer', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => exec(`c${index}`)));
    expect(answers.map((answer) => JSON.parse(answer.body).output)).toEqual(
      Array.from({ length: 50 }, (_, index) => `c${index} text\n`),
    );
  });

  test('connections beyond the limit are closed, and there is room again when others leave', async () => {
    const idle: Socket[] = [];
    for (let index = 0; index < CONTROL_CONNECTIONS_MAX; index += 1) {
      idle.push(
        await new Promise<Socket>((resolve) => {
          const socket = connect(path, () => resolve(socket));
          socket.on('error', () => undefined);
        }),
      );
    }
    await expect(exec('one too many')).rejects.toThrow();
    for (const socket of idle) socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expectAlive();
  });
});

interface Stream {
  readonly status: number;
  text: string;
  readonly response: IncomingMessage;
  readonly closed: Promise<void>;
}

function openStream(): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const url = '/debug?command=debug%20ip%20inspect%20events';
    const request = httpRequest({ socketPath: path, path: url }, (response) => {
      const stream: Stream = {
        status: response.statusCode ?? 0,
        text: '',
        response,
        closed: new Promise((done) => response.on('close', () => done())),
      };
      response.on('error', () => undefined);
      resolve(stream);
    });
    request.on('error', reject);
    request.end();
  });
}

function collect(stream: Stream): void {
  stream.response.setEncoding('utf8');
  stream.response.on('data', (chunk: string) => {
    stream.text += chunk;
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}

describe('debug stream', () => {
  test('lines come until the reader leaves, and then nobody is subscribed', async () => {
    const stream = await openStream();
    collect(stream);
    expect(stream.status).toBe(200);
    for (const tell of subscribers) tell('first');
    for (const tell of subscribers) tell('second');
    await until(() => stream.text === 'first\nsecond\n');
    stream.response.destroy();
    await until(() => subscribers.size === 0);
  });

  test('a reader that does not keep up misses lines, is told how many, and costs bounded memory', async () => {
    const stream = await openStream();
    const line = 'x'.repeat(1000);
    const tell = [...subscribers][0];
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    const total = 40_000;
    for (let told = 0; told < total; told += 1) {
      tell?.(line);
      if (told % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before).toBeLessThan(30_000_000);
    collect(stream);
    await until(() => / lines dropped, the reader is too slow\n$/.test(stream.text));
    tell?.('caught up');
    await until(() => stream.text.endsWith('caught up\n'));
    const dropped = [...stream.text.matchAll(/^% (\d+) lines dropped/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
    expect(dropped).toBeGreaterThan(total / 2);
    expect(stream.text.match(/^x+$/gm)?.length).toBe(total - dropped);
    stream.response.destroy();
    await until(() => subscribers.size === 0);
  });

  test('undebug ends it with a word', async () => {
    const stream = await openStream();
    collect(stream);
    endStream();
    await stream.closed;
    expect(stream.text).toBe('% debugging was turned off\n');
    await until(() => subscribers.size === 0);
    await expectAlive();
  });

  test('streams are bounded, and one that ended makes room', async () => {
    const streams = await Promise.all(Array.from({ length: CONTROL_STREAMS_MAX }, openStream));
    expect((await openStream()).status).toBe(503);
    streams[0]?.response.destroy();
    await until(() => subscribers.size === CONTROL_STREAMS_MAX - 1);
    const again = await openStream();
    expect(again.status).toBe(200);
    for (const stream of [...streams, again]) stream.response.destroy();
    await until(() => subscribers.size === 0);
  });
});

describe('the socket file', () => {
  test('a living daemon keeps it', async () => {
    await expect(listenControl(path, handlers)).rejects.toThrow(/another Postern answers/);
    await expectAlive();
  });

  test('a leftover is replaced', async () => {
    await server?.close();
    await leaveStaleSocket();
    expect(existsSync(path)).toBe(true);
    server = await listenControl(path, handlers);
    await expectAlive();
  });

  test('a path that the system would cut is refused, and nothing is made', async () => {
    const long = join(folder, 'x'.repeat(108));
    await expect(listenControl(long, handlers)).rejects.toThrow(/longer than 107 bytes/);
    expect(readdirSync(folder).filter((name) => name.startsWith('xx'))).toEqual([]);
  });

  test('something that is no socket is not touched', async () => {
    await server?.close();
    server = undefined;
    writeFileSync(path, 'mine');
    await expect(listenControl(path, handlers)).rejects.toThrow(/not a socket/);
    expect(statSync(path).size).toBe(4);
  });

  test('a folder that is not there is an error, not a crash', async () => {
    await expect(listenControl(join(folder, 'no', 'control.sock'), handlers)).rejects.toThrow(
      /no of the control socket does not exist/,
    );
  });

  test('close ends open streams and takes the file away', async () => {
    const stream = await openStream();
    collect(stream);
    await server?.close();
    server = undefined;
    await stream.closed;
    expect(existsSync(path)).toBe(false);
    expect(subscribers.size).toBe(0);
  });
});

/** A socket file whose owner is gone: bound, then renamed out of reach of the owner's own cleaning up. */
async function leaveStaleSocket(): Promise<void> {
  const { renameSync } = await import('node:fs');
  const owner = createNetServer();
  await new Promise<void>((resolve) => owner.listen(`${path}.first`, resolve));
  renameSync(`${path}.first`, path);
  await new Promise<void>((resolve) => owner.close(() => resolve()));
}
