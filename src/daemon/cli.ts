import { runCheck } from './check.ts';
import { packageVersion } from './version.ts';

/** Answers the exit code: 0 done, 1 refused or failed, 2 wrong usage. */
type Subcommand = (argv: readonly string[]) => Promise<number>;

const USAGE = `usage: postern COMMAND

  run       judge packets in the foreground
  rules     print, install or remove the iptables rules: rules {print|install|remove}
  check     read a configuration and print everything that is wrong with it: check [FILE]
  show      what is: show ip inspect {config|interfaces|sessions|statistics|all} ...
  clear     end sessions, reset counters: clear ip inspect {sessions|statistics} ...
  debug     follow what happens until interrupted: debug ip inspect {events|smtp|pop3|imap} ...
  write     save the configuration in force
  copy      copy running-config startup-config, and the other way round
  shell     the prompt: ?, Tab, abbreviations, enable, configure terminal
  replay    judge the packets of a capture: replay CAPTURE --config FILE
  doctor    what this machine lacks, and the command that mends it

  --json on every show gives a structure; --control SOCKET names the daemon's socket
  postern --version, postern --help; without a command on a terminal: the shell
`;

/** What starts a heavy part is loaded when it is asked for: `postern show` needs neither engine nor log. */
const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  run: async (argv) => (await import('./main.ts')).runDaemon(argv),
  rules: async (argv) => (await import('./main.ts')).runRules(argv),
  replay: async (argv) => (await import('./main.ts')).runReplay(argv),
  doctor: async (argv) => (await import('./doctor.ts')).runDoctor(argv),
  check: runCheck,
  shell: async (argv) => (await import('../shell/main.ts')).runShell(argv),
};

const EXEC_WORDS: readonly string[] = ['show', 'clear', 'write', 'copy', 'debug'];

/** The whole program behind `postern`. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined && process.stdin.isTTY && process.stdout.isTTY) return runSubcommand('shell', []);
  if (first === '--help' || first === '-h' || first === 'help') {
    process.stdout.write(USAGE);
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
  process.stderr.write(first === undefined ? USAGE : `postern: unknown command ${first}\n\n${USAGE}`);
  return 2;
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
