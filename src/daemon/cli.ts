import { runCheck } from './check.ts';
import { helpFor } from './help.ts';
import { packageVersion } from './version.ts';

/** Answers the exit code: 0 done, 1 refused or failed, 2 wrong usage. */
type Subcommand = (argv: readonly string[]) => Promise<number>;

/** What starts a heavy part is loaded when it is asked for: `postern show` needs neither engine nor log. */
const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  run: async (argv) => (await import('./main.ts')).runDaemon(argv),
  rules: async (argv) => (await import('./main.ts')).runRules(argv),
  replay: async (argv) => (await import('./main.ts')).runReplay(argv),
  doctor: async (argv) => (await import('./doctor.ts')).runDoctor(argv),
  check: runCheck,
  shell: async (argv) => (await import('../shell/main.ts')).runShell(argv),
};

const EXEC_WORDS: readonly string[] = ['show', 'clear', 'write', 'copy', 'debug', 'undebug'];

/** The whole program behind `postern`. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined && process.stdin.isTTY && process.stdout.isTTY) return runSubcommand('shell', []);
  const help = askedHelp(first, rest);
  if (help !== undefined) {
    process.stdout.write(help);
    return 0;
  }
  if (first === '--version' || first === '-V') {
    process.stdout.write(`postern ${packageVersion()}\n`);
    return 0;
  }
  if (first !== undefined && Object.hasOwn(SUBCOMMANDS, first)) return runSubcommand(first, rest);
  const word = firstWord(argv);
  const exec = EXEC_WORDS.filter((name) => word !== '' && name.startsWith(word));
  if (exec.length > 0) return runExec(exec, argv);
  process.stderr.write(`${first === undefined ? '' : `postern: unknown command ${first}\n\n`}${helpFor(undefined)}`);
  return 2;
}

/** The help that `help`, `help COMMAND`, `--help` or `COMMAND … --help` asks for. */
function askedHelp(first: string | undefined, rest: readonly string[]): string | undefined {
  if (first === '--help' || first === '-h') return helpFor(undefined);
  if (first === 'help') return helpFor(rest[0]);
  return rest.includes('--help') || rest.includes('-h') ? helpFor(first) : undefined;
}

/** Exec commands may come behind their options: `postern --json show …`. */
function firstWord(argv: readonly string[]): string {
  const at = argv.findIndex((word, index) => !word.startsWith('-') && argv[index - 1] !== '--control');
  return argv[at]?.split(' ', 1)[0]?.toLowerCase() ?? '';
}

async function runExec(names: readonly string[], argv: readonly string[]): Promise<number> {
  const { runDebugCommand, runExecCommand } = await import('../shell/main.ts');
  return names.length === 1 && names[0] === 'debug' ? runDebugCommand(argv) : runExecCommand(argv);
}

function runSubcommand(name: string, argv: readonly string[]): Promise<number> {
  const run = SUBCOMMANDS[name];
  return run === undefined ? Promise.resolve(2) : run(argv);
}
