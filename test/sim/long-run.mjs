// npm run simulate [-- --seeds N --from SEED --minutes N --print]: plays seeds in blocks, each in a process of its own,
// so that one that dies takes no more with it. Node alone reads no TypeScript here; vite, which vitest
// brings, does.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const BLOCK_SEEDS = 2_000;
const FAILED_BLOCKS_MAX = 10;
const words = process.argv.slice(2);
const number = (name, otherwise) => (words.includes(name) ? Number(words[words.indexOf(name) + 1]) : otherwise);

if (words.includes('--block')) {
  await runnerImport(new URL('long-run.ts', import.meta.url).pathname, { configFile: false, logLevel: 'error' });
} else {
  const [from, seeds] = [number('--from', 0), number('--seeds', 100_000)];
  const endsAt = Date.now() + number('--minutes', 10_000) * 60_000;
  const rest = words.includes('--print') ? ['--print'] : [];
  let [played, failed] = [0, 0];
  while (played < seeds && failed < FAILED_BLOCKS_MAX && Date.now() < endsAt) {
    const block = Math.min(BLOCK_SEEDS, seeds - played);
    const own = ['--block', '--from', String(from + played), '--seeds', String(block), ...rest];
    const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...own], { stdio: 'inherit' });
    played += block;
    failed += status === 0 ? 0 : 1;
  }
  process.stdout.write(`${played} seeds in all, from ${from}; blocks with failures: ${failed}\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}
