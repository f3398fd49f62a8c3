// Many small SMTP sessions, inside a namespace: `node crowd.mjs HOST PORT SESSIONS PARALLEL [hold]`. With `hold` all
// sessions are kept open until each one has come to its HELO answer, so that they exist at the same time.
// Prints { completed, failed, heldAtOnce } as JSON.
import { connect } from 'node:net';

const [host, port, sessions, parallel, hold] = process.argv.slice(2);
const SESSION_TIMEOUT_MS = 60_000;
const total = Number(sessions);
const result = { completed: 0, failed: 0, heldAtOnce: 0 };
const reasons = {};
let waiting = [];

function allHeld() {
  result.heldAtOnce = waiting.length;
  const go = waiting;
  waiting = [];
  for (const resume of go) resume();
}

function holdUntilAllAreThere() {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length + result.failed === total) allHeld();
  });
}

function session() {
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    let received = '';
    let wanted = /^220 .*\r\n$/s;
    let stage = 0;
    const finish = (how) => {
      if (stage === -1) return;
      stage = -1;
      socket.destroy();
      if (how === 'completed') result.completed++;
      else {
        result.failed++;
        reasons[how] = (reasons[how] ?? 0) + 1;
      }
      if (hold !== undefined && waiting.length + result.failed === total) allHeld();
      resolve();
    };
    socket.setTimeout(SESSION_TIMEOUT_MS, () => finish(`timeout at ${stage}`));
    socket.on('error', (error) => finish(error.code));
    socket.on('close', () => finish(`closed at ${stage}`));
    const next = async () => {
      received = '';
      stage++;
      if (stage === 1) {
        wanted = /^250 .*\r\n$/s;
        socket.write('HELO crowd.example\r\n');
      } else if (stage === 2) {
        if (hold !== undefined) await holdUntilAllAreThere();
        wanted = /^221 .*\r\n$/s;
        socket.write('QUIT\r\n');
      } else finish('completed');
    };
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (wanted.test(received)) next();
    });
  });
}

let started = 0;
async function worker() {
  while (started < total) {
    started++;
    await session();
  }
}
await Promise.all(Array.from({ length: Math.min(Number(parallel), total) }, worker));
console.log(JSON.stringify({ ...result, reasons }));
