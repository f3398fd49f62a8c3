import type { IncomingMessage } from 'node:http';
import { CONTROL_REQUEST_BYTES_MAX, type ConfigureRequest, type ExecRequest } from './control-api.ts';
import { CONFIGURE_LINES_MAX } from './limits.ts';

/** A request that cannot be served, with the HTTP status and words that say why. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The body as JSON, read up to the limit and no further. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > CONTROL_REQUEST_BYTES_MAX) {
        throw new RequestError(413, `a request has ${CONTROL_REQUEST_BYTES_MAX} bytes at most`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof RequestError ? error : new RequestError(400, 'the request broke off');
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new RequestError(400, 'the request is not JSON');
  }
}

export function parseExecRequest(body: unknown): ExecRequest {
  const command = property(body, 'command');
  const json = property(body, 'json');
  if (typeof command !== 'string') throw new RequestError(400, 'the request has no command');
  if (json !== undefined && typeof json !== 'boolean') throw new RequestError(400, 'json is true or false');
  return json === undefined ? { command } : { command, json };
}

export function parseConfigureRequest(body: unknown): ConfigureRequest {
  const lines = property(body, 'lines');
  if (!isStrings(lines)) throw new RequestError(400, 'the request has no lines');
  if (lines.length > CONFIGURE_LINES_MAX) throw new RequestError(413, `${CONFIGURE_LINES_MAX} lines at most`);
  return { lines };
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function property(body: unknown, name: string): unknown {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return undefined;
  return (body as Readonly<Record<string, unknown>>)[name];
}
