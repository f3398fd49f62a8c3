import type { ServerResponse } from 'node:http';
import { CONTROL_STREAM_BYTES_MAX, CONTROL_STREAM_GRACE_MS, CONTROL_STREAMS_MAX } from './limits.ts';
import { RequestError } from './request.ts';

/**
 * Starts sending the lines of a debug command (without line ends) and answers how to stop; or answers the error, an IOS
 * `% …` line, when there is no such command.
 */
export type Subscribe = (command: string, onLine: (line: string) => void) => (() => void) | { readonly error: string };

let streams = 0;

/**
 * Streams lines until the reader leaves. One that does not keep up is told and let go; it never holds up the daemon.
 */
export function streamDebug(subscribe: Subscribe, command: string, response: ServerResponse): void {
  if (streams >= CONTROL_STREAMS_MAX) throw new RequestError(503, `${CONTROL_STREAMS_MAX} debug streams are open`);
  let ended = false;
  let stop: (() => void) | undefined;
  const end = (): void => {
    if (ended) return;
    ended = true;
    streams -= 1;
    stop?.();
  };
  const onLine = (line: string): void => {
    if (ended) return;
    if (response.writableLength > CONTROL_STREAM_BYTES_MAX) {
      end();
      letGo(response);
      return;
    }
    response.write(`${line}\n`);
  };
  const subscription = subscribe(command, onLine);
  if (typeof subscription !== 'function') throw new RequestError(400, subscription.error.replace(/^% */, ''));
  streams += 1;
  stop = subscription;
  response.on('close', end);
  // A quiet stream is not an idle connection.
  response.setTimeout(0);
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.flushHeaders();
}

function letGo(response: ServerResponse): void {
  response.end('% the reader was too slow, the stream ends here\n');
  setTimeout(() => response.destroy(), CONTROL_STREAM_GRACE_MS).unref();
}
