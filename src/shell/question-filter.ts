import { Transform, type TransformCallback } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

const LITERAL_NEXT = '\u0016';
const END_OF_EDITING = '\u001a';

export interface Keys {
  /** `?` was typed and is not part of the line. */
  question(): void;
  /** Ctrl-Z was typed: IOS leaves the configuration mode with it. */
  end(): void;
}

/**
 * Takes `?` and Ctrl-Z out of what is typed before the line editor sees it, so that help comes without Enter. Ctrl-V
 * lets the next character through as it is, as on IOS, where a pattern needs a question mark.
 */
export function filterKeys(keys: Keys): Transform {
  const decoder = new StringDecoder('utf8');
  let literal = false;
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback) {
      for (const char of decoder.write(chunk)) {
        if (literal) {
          literal = false;
          this.push(char);
        } else if (char === LITERAL_NEXT) literal = true;
        else if (char === '?') setImmediate(keys.question);
        else if (char === END_OF_EDITING) setImmediate(keys.end);
        else this.push(char);
      }
      callback();
    },
  });
}
