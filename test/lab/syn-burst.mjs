// `node syn-burst.mjs HOST PORT COUNT SECONDS`, inside a namespace that drops SYN-ACKs: opens COUNT connections that
// nobody will complete, keeps them half open for so long, and gives them up.
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const [host, port, count, seconds] = process.argv.slice(2);
const sockets = Array.from({ length: Number(count) }, () => {
  const socket = connect({ host, port: Number(port) });
  socket.on('error', () => {});
  return socket;
});
await delay(Number(seconds) * 1_000);
for (const socket of sockets) socket.destroy();
