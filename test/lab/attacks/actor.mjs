// A server that plays its part of many dialogues inside a namespace: reads { host, port, parts: { CLIENT: [step] } } as JSON
// from its standard input, where CLIENT is the address a client comes from and a step is { send: [text] }, { hear: true }
// or { finish: true }. Prints { listening }, and { client, heard, end } when a connection is over or at SIGTERM.
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Two segments, not one. */
const BOUNDARY_MS = 4;
const QUIET_MS = 60;

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { host, port, parts } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const heardBy = new Map();

async function perform(socket, steps, told) {
  let mark = 0;
  for (const step of steps) {
    if (told.end !== 'open') return;
    if (step.finish === true) socket.end();
    else if (step.send !== undefined) {
      for (const text of step.send) {
        socket.write(Buffer.from(text, 'latin1'));
        await delay(BOUNDARY_MS);
      }
    } else {
      while (told.end === 'open' && (told.heard.length <= mark || Date.now() - told.heardAt < QUIET_MS)) await delay(5);
      mark = told.heard.length;
    }
  }
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  const client = socket.remoteAddress;
  const told = { heard: '', heardAt: 0, end: 'open' };
  heardBy.set(client, told);
  socket.on('data', (chunk) => {
    told.heard += chunk.toString('latin1');
    told.heardAt = Date.now();
  });
  socket.on('end', () => {
    if (told.end === 'open') told.end = 'fin';
  });
  socket.on('error', (error) => {
    told.end = error.code === 'ECONNRESET' ? 'reset' : error.code;
  });
  void perform(socket, parts[client] ?? [], told);
});
server.listen({ host, port }, () => tell({ listening: true }));
process.on('SIGTERM', () => {
  for (const [client, { heard, end }] of heardBy) tell({ client, heard, end });
  process.stdout.write('', () => process.exit(0));
});
