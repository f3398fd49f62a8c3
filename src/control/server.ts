import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ConfigureRequest, ExecReply, ExecRequest, Health } from './control-api.ts';
import { type Subscribe, streamDebug } from './debug-stream.ts';
import {
  CONTROL_CONNECTIONS_MAX,
  CONTROL_HANDLER_MS,
  CONTROL_HEADER_BYTES_MAX,
  CONTROL_IDLE_MS,
  CONTROL_REQUEST_MS,
} from './limits.ts';
import { parseConfigureRequest, parseExecRequest, RequestError, readJson } from './request.ts';
import { listenOnSocket } from './socket.ts';

/** What the daemon does for those who ask; an error thrown here is answered with 500 and ends nothing. */
export interface ControlHandlers {
  exec(request: ExecRequest): Promise<ExecReply>;
  configure(request: ConfigureRequest): Promise<ExecReply>;
  /** Prometheus text. */
  metrics(): Promise<string>;
  health(): Health;
  /** Begins a debug stream. */
  readonly subscribe: Subscribe;
  /** Told about errors of handlers, for the log. */
  failed(what: string, error: unknown): void;
}

export interface ControlServer {
  /** Ends every connection and takes the socket away. */
  close(): Promise<void>;
}

/** Opens the control socket. Rejects when the path is taken by another daemon or by something that is no socket. */
export async function listenControl(path: string, handlers: ControlHandlers): Promise<ControlServer> {
  const server = createServer(
    {
      maxHeaderSize: CONTROL_HEADER_BYTES_MAX,
      headersTimeout: CONTROL_REQUEST_MS,
      requestTimeout: CONTROL_REQUEST_MS,
      keepAliveTimeout: CONTROL_IDLE_MS,
      connectionsCheckingInterval: 500,
    },
    (request, response) => void serve(handlers, request, response),
  );
  server.maxConnections = CONTROL_CONNECTIONS_MAX;
  server.on('clientError', refuseGarbage);
  // A connection that never speaks has no request that could time out.
  server.on('connection', (socket) => socket.setTimeout(CONTROL_HANDLER_MS * 2));
  server.on('timeout', (socket) => socket.destroy());
  await listenOnSocket(server, path);
  server.on('error', (error) => handlers.failed('control socket', error));
  return { close: () => closeServer(server) };
}

type Route = (handlers: ControlHandlers, request: IncomingMessage, response: ServerResponse) => Promise<void>;

const ROUTES: ReadonlyMap<string, { readonly method: 'GET' | 'POST'; readonly route: Route }> = new Map([
  ['/exec', { method: 'POST', route: serveExec }],
  ['/configure', { method: 'POST', route: serveConfigure }],
  ['/metrics', { method: 'GET', route: serveMetrics }],
  ['/health', { method: 'GET', route: serveHealth }],
  ['/debug', { method: 'GET', route: serveDebug }],
]);

async function serve(handlers: ControlHandlers, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // The peer may leave at any point of an answer.
  response.on('error', () => undefined);
  try {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const found = ROUTES.get(path);
    if (found === undefined) throw new RequestError(404, 'there is no such thing here');
    if (request.method !== found.method) throw new RequestError(405, `use ${found.method}`);
    await found.route(handlers, request, response);
  } catch (error) {
    if (!(error instanceof RequestError)) handlers.failed(request.url ?? '', error);
    const [status, words] =
      error instanceof RequestError ? [error.status, error.message] : [500, 'an error inside Postern; see the log'];
    refuse(response, status, words);
  }
}

async function serveExec(handlers: ControlHandlers, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const command = parseExecRequest(await readJson(request));
  reply(response, await inTime(handlers.exec(command)));
}

async function serveConfigure(
  handlers: ControlHandlers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const lines = parseConfigureRequest(await readJson(request));
  reply(response, await inTime(handlers.configure(lines)));
}

async function serveMetrics(
  handlers: ControlHandlers,
  _request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const text = await inTime(handlers.metrics());
  send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', text);
}

async function serveHealth(
  handlers: ControlHandlers,
  _request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const health = handlers.health();
  send(response, health.ready ? 200 : 503, 'application/json', JSON.stringify(health));
}

async function serveDebug(
  handlers: ControlHandlers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const command = new URL(request.url ?? '', 'http://control').searchParams.get('command') ?? '';
  streamDebug(handlers.subscribe, command, response);
}

function reply(response: ServerResponse, answer: ExecReply): void {
  send(response, answer.error === undefined ? 200 : 400, 'application/json', JSON.stringify(answer));
}

function refuse(response: ServerResponse, status: number, words: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // What of the request was not read is not worth reading.
  response.setHeader('connection', 'close');
  send(response, status, 'application/json', JSON.stringify({ error: `% ${words}` } satisfies ExecReply));
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RequestError(504, 'the command takes too long')), CONTROL_HANDLER_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Bytes that are no HTTP, a head too long, a request that does not come to its end. */
function refuseGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
  const body = JSON.stringify({ error: '% not a request' } satisfies ExecReply);
  socket.on('error', () => undefined);
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
