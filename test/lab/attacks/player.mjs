// Plays many clients at once inside a namespace: reads { host, port, clients: [{ local, steps, quietMs? }] } as JSON from its
// standard input, prints one JSON line { index, sentOctets, received, end, stoppedAt? } when a client has nothing more to say,
// { done } when none has, and keeps the connections open until SIGTERM. The steps stand in cutting.ts.
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const ANSWER_TIMEOUT_MS = 4_000;
/** An answer is over when nothing more came for so long. */
const QUIET_MS = 120;
/** Long enough for what was smuggled to be carried out. */
const LAST_QUIET_MS = 1_500;

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { host, port, clients } = JSON.parse(Buffer.concat(chunks).toString('utf8'));

async function open(client, told) {
  const socket = connect({ host, port, localAddress: client.local, allowHalfOpen: true, noDelay: true });
  let heardAt = Date.now();
  socket.on('data', (chunk) => {
    told.received += chunk.toString('latin1');
    heardAt = Date.now();
  });
  socket.on('end', () => {
    told.end = 'fin';
  });
  socket.on('error', (error) => {
    told.end = error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : error.code;
  });
  await new Promise((resolve) => {
    socket.once('connect', resolve);
    socket.once('error', resolve);
    setTimeout(resolve, ANSWER_TIMEOUT_MS).unref();
  });
  return { socket, quietForMs: () => Date.now() - heardAt };
}

async function write(socket, { writes, gapMs }, told) {
  for (const [index, text] of writes.entries()) {
    if (told.end === 'reset' || socket.destroyed) return;
    if (index > 0) await (gapMs === 0 ? new Promise(setImmediate) : delay(gapMs));
    told.sentOctets += text.length;
    if (!socket.write(Buffer.from(text, 'latin1'))) {
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), delay(ANSWER_TIMEOUT_MS)]);
    }
  }
  if (gapMs > 0) await delay(gapMs);
}

/** Waits for something beyond `mark` and then for silence; answers what came. */
async function answer(line, told, mark) {
  const deadline = Date.now() + ANSWER_TIMEOUT_MS;
  const heard = () => told.received.length > mark && line.quietForMs() > QUIET_MS;
  while (!heard() && told.end === 'open' && Date.now() < deadline) await delay(5);
  return told.received.slice(mark);
}

async function play(client, index) {
  const told = { index, sentOctets: 0, received: '', end: 'open' };
  const line = await open(client, told);
  let mark = 0;
  for (const [at, step] of client.steps.entries()) {
    if (step.writes !== undefined) {
      mark = told.received.length;
      await write(line.socket, step, told);
    } else if (step.finish === true) line.socket.end();
    else {
      const heard = await answer(line, told, mark);
      mark = told.received.length;
      if (step.expect !== undefined && !heard.startsWith(step.expect)) {
        told.stoppedAt = at;
        break;
      }
    }
  }
  const deadline = Date.now() + ANSWER_TIMEOUT_MS;
  await delay(LAST_QUIET_MS);
  while (line.quietForMs() < LAST_QUIET_MS && told.end === 'open' && Date.now() < deadline) await delay(20);
  process.stdout.write(`${JSON.stringify(told)}\n`);
  return line.socket;
}

const sockets = await Promise.all(clients.map(play));
process.stdout.write(`${JSON.stringify({ done: true })}\n`);
const alive = setInterval(() => {}, 1_000);
process.on('SIGTERM', () => {
  for (const socket of sockets) socket.destroy();
  clearInterval(alive);
});
