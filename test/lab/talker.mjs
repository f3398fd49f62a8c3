// A scripted TCP client that runs inside a namespace, hence plain JavaScript in a process of its own: reads a Script as
// JSON from its standard input, carries it out, and prints a Talk as JSON. Both types stand in dialogue.ts.
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Small enough to notice a stall soon, large enough for a server that forks first. */
const STEP_TIMEOUT_MS_DEFAULT = 5_000;

async function readScript() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function open(script, talk) {
  const socket = connect({ host: script.host, port: script.port, allowHalfOpen: true });
  // Nagle's algorithm stays on unless the script says otherwise: it is what a firewall that holds bytes must survive.
  socket.setNoDelay(script.noDelay === true);
  socket.on('data', (chunk) => {
    const text = chunk.toString('latin1');
    talk.received += text;
    talk.course.push({ from: 'server', text });
  });
  socket.on('end', () => {
    talk.end = 'fin';
  });
  socket.on('error', (error) => {
    talk.end = error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : error.code;
  });
  return socket;
}

async function waitUntil(condition, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) return false;
    await delay(1);
  }
  return true;
}

async function send(socket, step, talk) {
  const bytes = Buffer.from(step.send, 'latin1');
  talk.course.push({ from: 'client', text: step.send });
  if (step.chunk === undefined) {
    socket.write(bytes);
    return;
  }
  for (let at = 0; at < bytes.length; at += step.chunk) {
    socket.write(bytes.subarray(at, at + step.chunk));
    if (step.gapMs === undefined) await new Promise(setImmediate);
    else await delay(step.gapMs);
  }
}

/** Answers false when the script cannot go on. */
async function carryOut(step, socket, talk, mark) {
  const timeoutMs = step.timeoutMs ?? STEP_TIMEOUT_MS_DEFAULT;
  if (step.send !== undefined) await send(socket, step, talk);
  else if (step.expect !== undefined) {
    const pattern = new RegExp(step.expect, 'm');
    const seen = () => pattern.test(talk.received.slice(mark.at));
    await waitUntil(() => seen() || talk.end !== 'open', timeoutMs);
    if (!seen()) return false;
    mark.at = talk.received.length;
  } else if (step.sleepMs !== undefined) await delay(step.sleepMs);
  else if (step.finish === true) socket.end();
  else if (step.waitForEnd === true) return await waitUntil(() => talk.end !== 'open', timeoutMs);
  return true;
}

const script = await readScript();
const talk = { received: '', course: [], end: 'open', stoppedAt: undefined };
const socket = open(script, talk);
await new Promise((resolve) => {
  socket.once('connect', resolve);
  socket.once('error', resolve);
  setTimeout(resolve, script.connectTimeoutMs ?? STEP_TIMEOUT_MS_DEFAULT).unref();
});
const mark = { at: 0 };
for (const [index, step] of script.steps.entries()) {
  if (!(await carryOut(step, socket, talk, mark))) {
    talk.stoppedAt = index;
    break;
  }
}
socket.destroy();
process.stdout.write(JSON.stringify(talk), () => process.exit(0));
