const OVERVIEW = `usage: postern COMMAND

The daemon
  run       judge packets in the foreground
  rules     print, install or remove the iptables rules
  check     read a configuration and print everything that is wrong with it
  replay    judge the packets of a capture
  doctor    what this machine lacks, and the command that mends it

Asked of the running daemon; words may be cut while they are unique
  show      what is: show ip inspect {config|interfaces|sessions|statistics|all} ...
  clear     end sessions, reset counters: clear ip inspect {sessions {all|ID}|statistics}
  debug     follow what happens until interrupted: debug ip inspect {events|timers|smtp|pop3|imap} ...
  undebug   end every such stream: undebug all
  write     save the configuration in force
  copy      copy running-config startup-config, and the other way round
  shell     the prompt: ?, Tab, abbreviations, enable, configure terminal

  postern COMMAND --help has the options; postern --version; without a command on a terminal: the shell
`;

const CONTROL = `  --control SOCKET   the daemon's control socket (/run/postern/control.sock)
`;
const CONFIG = `  --config FILE      the configuration (/etc/postern/postern.conf)
`;
const QUEUE = `  --queue FIRST      the first packet queue; a worker more, a queue more (0)
`;

/** By command; defaults stand in parentheses. */
const DETAILS: Readonly<Record<string, string>> = {
  run: `usage: postern run [OPTION]...

Judges packets in the foreground until a signal ends it. SIGHUP reads the configuration again.

${CONFIG}${CONTROL}${QUEUE}  --state-dir DIR    where to keep what must survive a restart (/var/lib/postern)
  --log-format ios|json   lines as a router writes them, or one JSON object each (ios)
  --install-rules    install the iptables rules at the start and remove them at the end
`,
  rules: `usage: postern rules {print|install|remove} [OPTION]...

Prints, installs or removes the iptables and ip6tables rules of a configuration. Only chains of ours are touched.

${CONFIG}${QUEUE}`,
  check: `usage: postern check [FILE]

Prints every error of a configuration at its place; FILE is /etc/postern/postern.conf where none is given.
Ends with 1 when there is an error, with 0 when there are only notices.
`,
  replay: `usage: postern replay CAPTURE [OPTION]...

Runs a pcap or pcapng file through the engine and prints one line an event. Needs no privilege.

${CONFIG}  --json             one JSON object a line
  --write OUT        save what would have been forwarded
`,
  doctor: `usage: postern doctor [OPTION]...

Prints what this machine lacks and the command that mends it. Changes nothing; ends with 1 when something is missing.

${QUEUE}  --state-dir DIR    where to keep what must survive a restart (/var/lib/postern)
  --json             a structure
`,
  shell: `usage: postern shell [OPTION]...

A prompt as on a router. With no terminal it reads lines from its input.

${CONTROL}`,
};

const EXEC = `usage: postern {show|clear|debug|undebug|write|copy} ... [OPTION]...

One command of the prompt, asked of the running daemon; docs/commands.md has them all, and so has ? in postern shell.

${CONTROL}  --json             a structure instead of text (show)
`;

/** What `postern --help` and `postern COMMAND --help` print; nothing for a word that is no command. */
export function helpFor(command: string | undefined): string | undefined {
  if (command === undefined) return OVERVIEW;
  if (Object.hasOwn(DETAILS, command)) return DETAILS[command];
  return ['show', 'clear', 'debug', 'undebug', 'write', 'copy'].includes(command) ? EXEC : undefined;
}
