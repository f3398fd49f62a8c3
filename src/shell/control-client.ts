import { request } from 'node:http';
import type { ConfigureRequest, ExecReply, ExecRequest } from '../control/control-api.ts';

/** An answer larger than this is cut: a terminal could not use it, and a broken peer must not fill the memory. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const ANSWER_TIMEOUT_MS = 35_000;

/** The daemon as the shell sees it. Every method answers; what went wrong with the socket stands in `error` too. */
export interface ControlClient {
  exec(request: ExecRequest): Promise<ExecReply>;
  configure(request: ConfigureRequest): Promise<ExecReply>;
  /** Streams lines until the daemon ends the stream or the signal fires; answers an error, if there was one. */
  debug(command: string, onText: (text: string) => void, signal: AbortSignal): Promise<ExecReply>;
}

export function connectControl(socketPath: string): ControlClient {
  return {
    exec: (body) => post(socketPath, '/exec', body),
    configure: (body) => post(socketPath, '/configure', body),
    debug: (command, onText, signal) => stream(socketPath, command, onText, signal),
  };
}

function post(socketPath: string, path: string, body: ExecRequest | ConfigureRequest): Promise<ExecReply> {
  const payload = Buffer.from(JSON.stringify(body));
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': payload.length };
    const sent = request({ socketPath, path, method: 'POST', headers, timeout: ANSWER_TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) sent.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      response.on('end', () => resolve(readReply(Buffer.concat(chunks).toString('utf8'))));
      response.on('error', (error) => resolve({ error: describe(socketPath, error) }));
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', (error) => resolve({ error: describe(socketPath, error) }));
    sent.end(payload);
  });
}

function stream(
  socketPath: string,
  command: string,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<ExecReply> {
  const path = `/debug?command=${encodeURIComponent(command)}`;
  return new Promise((resolve) => {
    const sent = request({ socketPath, path, method: 'GET', signal }, (response) => {
      response.setEncoding('utf8');
      if (response.statusCode !== 200) {
        let text = '';
        response.on('data', (chunk: string) => {
          if (text.length < ANSWER_BYTES_MAX) text += chunk;
        });
        response.on('end', () => resolve(readReply(text)));
        return;
      }
      response.on('data', onText);
      response.on('end', () => resolve({}));
      response.on('error', (error) => resolve(signal.aborted ? {} : { error: describe(socketPath, error) }));
    });
    sent.on('error', (error) => resolve(signal.aborted ? {} : { error: describe(socketPath, error) }));
    sent.end();
  });
}

function readReply(text: string): ExecReply {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) {
      const output = 'output' in value && typeof value.output === 'string' ? { output: value.output } : {};
      const error = 'error' in value && typeof value.error === 'string' ? { error: value.error } : {};
      if ('output' in output || 'error' in error) return { ...output, ...error };
    }
  } catch {
    // Falls through: what is not JSON is not the daemon's answer either.
  }
  return { error: '% The daemon gave no answer that can be read' };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket; is the daemon running?',
  ECONNREFUSED: 'nobody listens there; is the daemon running?',
  EACCES: 'permission denied',
};

function describe(socketPath: string, error: NodeJS.ErrnoException): string {
  return `% Cannot reach the daemon at ${socketPath}: ${REASONS[error.code ?? ''] ?? error.message}`;
}
