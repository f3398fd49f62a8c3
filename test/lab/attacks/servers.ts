import type { World } from '../world.ts';
import type { Flow } from './stage.ts';
import type { Deeds } from './verdicts.ts';

/** What Postfix logs of a client whose dialogue it logs (`debug_peer_list`). */
export function deedsAtPostfix(world: World): (flow: Flow) => Deeds {
  const lines = world.postfix.log().split('\n');
  return ({ local, got }) => {
    const mine = lines.filter((line) => line.includes(`[${local}]`));
    const texts = (mark: string) =>
      mine.flatMap((line) => {
        const at = line.indexOf(`${mark} unknown[${local}]: `);
        return at < 0 ? [] : [line.slice(at + `${mark} unknown[${local}]: `.length)];
      });
    const replies = texts(': >');
    return {
      commands: texts(': <'),
      messages: replies.filter((reply) => /^250 2\.0\.0 Ok: queued/.test(reply)).length,
      closed: replies.some((reply) => /^(?:221|421|521) /.test(reply)) || !got.endsWith('\n'),
    };
  };
}

const LAST_LINE_OF_REPLY = /^\d{3}(?: .*)?\r$/gm;

/**
 * What Exim logs of a client (`logDialogues`): the commands it has an ACL for, and the messages it took. Others can only be
 * counted by its answers.
 */
export function deedsAtExim(world: World): (flow: Flow) => Deeds {
  const lines = (world.exim?.log() ?? '').split('\n');
  return ({ local, got, answered }) => {
    const texts = (what: string) => lines.flatMap((line) => line.split(` [${local}] ${what} `).slice(1));
    const inChunks = /^BDAT /im.test(got);
    return {
      commands: texts('reads'),
      replies: (answered.match(LAST_LINE_OF_REPLY)?.length ?? 0) - 1,
      ...(inChunks ? {} : { messages: texts('takes').length }),
      closed: true,
    };
  };
}

/** Whether Dovecot let the client in. */
export function deedsAtDovecot(world: World): (flow: Flow) => Deeds {
  const lines = world.dovecot.log().split('\n');
  return ({ local }) => ({
    loggedIn: lines.some((line) => line.includes('Login: ') && line.includes(`rip=${local},`)),
  });
}

/** Whether Courier let the client in: its login programs say so for couriertcpd to log. */
export function deedsAtCourier(world: World): (flow: Flow) => Deeds {
  const lines = (world.courier?.log() ?? '').split('\n');
  return ({ local }) => ({
    loggedIn: lines.some((line) => line.includes('LOGIN, ') && new RegExp(`\\[(?:::ffff:)?${local}\\]`).test(line)),
  });
}
