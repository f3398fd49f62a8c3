// Both ends of very long sessions, run inside a namespace: reads { role, host, ... } as JSON from its standard input.
// `server` { ports: { PORT: { greeting, replies } } } answers each command line by the first regular expression that matches (TAG
// is the line's first word) and skips message data without looking at lines; it prints { line } for what `tells` matches, and { octets } at the end of a session.
// `client` { port, rounds: [{ send, repeat, answers, times }], sessions, parallel } sends a text so many times, each time waiting
// for so many lines, and prints { received } with the last lines, { end }, { octets } and whether all was answered, for each session.
import { connect, createServer } from 'node:net';

const END_OF_DATA = '\r\n.\r\n';
const LAST_CHARACTERS = 400;
const PATIENCE_MS = 30_000;

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const order = JSON.parse(Buffer.concat(chunks).toString('utf8'));
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

function serve(port, { greeting, replies }) {
  const answers = replies.map(([pattern, reply]) => [new RegExp(pattern, 'i'), reply]);
  const tells = new RegExp(order.tells, 'i');
  createServer({ noDelay: true }, (socket) => {
    let [rest, octets, inData] = ['', 0, false];
    const command = (line) => {
      if (tells.test(line)) tell({ port, line });
      inData = /^DATA$/i.test(line);
      const reply = answers.find(([pattern]) => pattern.test(line))?.[1] ?? '500 what\r\n';
      socket.write(reply.replace('TAG', line.split(' ', 1)[0]));
    };
    const readData = () => {
      const end = rest.indexOf(END_OF_DATA);
      if (end < 0) {
        rest = rest.slice(-(END_OF_DATA.length - 1));
        return false;
      }
      rest = rest.slice(end + END_OF_DATA.length);
      inData = false;
      socket.write('250 taken\r\n');
      return true;
    };
    const readLine = () => {
      const end = rest.indexOf('\r\n');
      if (end < 0) return false;
      const line = rest.slice(0, end);
      rest = rest.slice(end + 2);
      command(line);
      return true;
    };
    socket.on('data', (chunk) => {
      octets += chunk.length;
      rest += chunk.toString('latin1');
      while (inData ? readData() : readLine());
    });
    socket.on('error', () => {});
    socket.on('close', () => tell({ port, octets }));
    socket.write(greeting);
  }).listen({ host: order.host, port }, () => tell({ listening: port }));
}

async function play() {
  const socket = connect({ host: order.host, port: order.port, noDelay: true });
  let [received, lines, octets, end] = ['', 0, 0, 'open'];
  let wake = () => {};
  socket.on('data', (chunk) => {
    const text = chunk.toString('latin1');
    received = (received + text).slice(-LAST_CHARACTERS);
    lines += text.split('\n').length - 1;
    wake();
  });
  const ended = (how) => () => {
    end = end === 'open' ? how : end;
    wake();
  };
  socket.on('end', ended('fin'));
  socket.on('error', ended('reset'));
  const answered = async (wanted) => {
    const deadline = Date.now() + PATIENCE_MS;
    while (lines < wanted && end === 'open' && Date.now() < deadline) {
      const timer = setTimeout(() => wake(), 1_000);
      await new Promise((resolve) => {
        wake = resolve;
      });
      clearTimeout(timer);
    }
    return lines >= wanted;
  };
  let wanted = 1;
  let complete = await answered(wanted);
  for (const { send, answers, times, repeat } of order.rounds) {
    const text = Buffer.from(send.repeat(repeat ?? 1), 'latin1');
    for (let time = 0; time < times && complete; time++) {
      octets += text.length;
      if (!socket.write(text)) await new Promise((resolve) => socket.once('drain', resolve));
      wanted += answers;
      complete = await answered(wanted);
    }
  }
  tell({ received, end, octets, complete });
  socket.destroy();
}

if (order.role === 'server') for (const [port, script] of Object.entries(order.ports)) serve(Number(port), script);
else {
  let left = order.sessions ?? 1;
  const one = async () => {
    while (left-- > 0) await play();
  };
  await Promise.all(Array.from({ length: order.parallel ?? 1 }, one));
}
