// A scripted TCP server that runs inside a namespace: reads a ListenerScript (listener.ts) as JSON
// from its standard input, where replies are [regular expression, answer] pairs tried on each line, and prints one JSON
// line for each event: { listening }, { line }, { end }. It never closes by itself, but for `finishes`.
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const script = JSON.parse(Buffer.concat(chunks).toString('utf8'));
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

function answer(socket, line) {
  tell({ line });
  const [, reply] = script.replies.find(([pattern]) => new RegExp(pattern, 'i').test(line)) ?? [];
  if (reply !== undefined) socket.write(Buffer.from(reply, 'latin1'));
}

const server = createServer({ allowHalfOpen: true }, async (socket) => {
  let rest = '';
  socket.on('data', (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop();
    for (const line of lines) answer(socket, line.replace(/\r$/, ''));
  });
  socket.on('end', () => {
    tell({ end: 'fin' });
    if (script.finishes === true) socket.end();
  });
  socket.on('error', (error) => tell({ end: error.code === 'ECONNRESET' ? 'reset' : error.code }));
  await delay(script.greetingDelayMs ?? 0);
  if (!socket.destroyed) socket.write(script.greeting);
});
server.listen({ host: script.host, port: script.port }, () => tell({ listening: true }));
