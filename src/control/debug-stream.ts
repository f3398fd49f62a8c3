import type { ServerResponse } from 'node:http';
import { CONTROL_STREAM_BYTES_MAX, CONTROL_STREAMS_MAX } from './limits.ts';
import { RequestError } from './request.ts';

/** What a stream takes: lines without line ends, and word that nothing more will come. */
export interface StreamReader {
  line(text: string): void;
  end(): void;
}

/**
 * Starts sending the lines of a debug command and answers how to stop; or answers the error, an IOS `% …` line, when
 * there is no such command.
 */
export type Subscribe = (command: string, reader: StreamReader) => (() => void) | { readonly error: string };

let streams = 0;

/**
 * Streams lines until the reader leaves. One that does not keep up misses lines and is told how many; it never holds up
 * the daemon.
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
  let dropped = 0;
  const tellDropped = (): void => {
    if (dropped > 0) response.write(`% ${dropped} lines dropped, the reader is too slow\n`);
    dropped = 0;
  };
  const line = (text: string): void => {
    if (ended) return;
    if (response.writableLength > CONTROL_STREAM_BYTES_MAX) {
      dropped += 1;
      return;
    }
    tellDropped();
    response.write(`${text}\n`);
  };
  const subscription = subscribe(command, { line, end: () => response.end('% debugging was turned off\n') });
  if (typeof subscription !== 'function') throw new RequestError(400, subscription.error.replace(/^% */, ''));
  streams += 1;
  stop = subscription;
  response.on('close', end);
  response.on('drain', tellDropped);
  // A quiet stream is not an idle connection.
  response.setTimeout(0);
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.flushHeaders();
}
