import type { Inspector } from '../inspect/inspector.ts';
import type { Addon, PatternAddon } from '../native/addon.ts';
import type { LearnedView, PolicyEnvironment } from '../policy/application/environment.ts';
import { type ApplicationPolicy, applicationInspector } from '../policy/application/inspector.ts';
import { NO_PATTERNS, type PatternSets } from '../policy/application/pattern-sets.ts';
import { type ApplicationProgram, compileProgram } from '../policy/application/program.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { PortProtocol } from '../policy/ports.ts';
import { imap } from '../protocols/imap/machine.ts';
import type { ImapPolicy } from '../protocols/imap/state.ts';
import { pop3 } from '../protocols/pop3/machine.ts';
import type { Pop3Policy } from '../protocols/pop3/state.ts';
import { smtp } from '../protocols/smtp/machine.ts';
import { defaultSmtpPolicy, type SmtpPolicy } from '../protocols/smtp/policy.ts';
import { ContentPlans, type ContentPlanUse } from './content-plans.ts';
import { type LineSettings, mailboxLines, type StartDialogue, smtpLines } from './dialogues.ts';
import { startDialogue } from './session.ts';
import { type StarttlsMemory, serverKey } from './starttls-memory.ts';
import type { WorkerSettings } from './worker-protocol.ts';

export type { ContentPlanUse };

/** The part of the addon that matches short texts. */
export type PatternUser = Pick<PatternAddon, 'usePatterns' | 'matchText'>;

/** How sessions under an application policy begin, and the plan by which their messages are looked through. */
export interface ApplicationScript {
  readonly start: StartDialogue;
  readonly content: ContentPlanUse | undefined;
}

export interface ApplicationsOptions {
  readonly addon: Pick<Addon, 'definePlan' | 'releasePlan'>;
  readonly host: number;
  readonly patterns: PatternUser | undefined;
  readonly learned: LearnedView;
  /** Which servers offered STARTTLS; absent: none did. */
  readonly starttls?: Pick<StarttlsMemory, 'offered'>;
}

/** `match data-length` says how long a message may be; without it an application policy sets no limit. */
const UNLIMITED_BYTES = Number.MAX_SAFE_INTEGER;

/** Of sessions of which nobody said otherwise. */
const AS_EVER: LineSettings = { lineEndings: 'normalize', requireTls: 'never' };

const SMTP = applicationInspector(smtp);
const POP3 = applicationInspector(pop3);
const IMAP = applicationInspector(imap);

/**
 * The application policies that zone-pairs use, as programs for this worker's sessions. A change of configuration makes
 * new ones; sessions under way keep theirs.
 */
export class Applications {
  readonly #options: ApplicationsOptions;
  readonly #plans: ContentPlans;
  #settings: WorkerSettings | undefined;
  #environment: PolicyEnvironment;
  #programs = new Map<string, ApplicationProgram>();

  constructor(options: ApplicationsOptions) {
    this.#options = options;
    this.#plans = new ContentPlans(options.addon, options.host);
    this.#environment = { matches: () => [], ...this.#views() };
  }

  /**
   * Takes the policies of a configuration. Throws when a set of patterns is not there, or no memory for it; answers why
   * content plans could not be had.
   */
  configure(settings: WorkerSettings): readonly string[] {
    const { configuration, patterns = NO_PATTERNS } = settings;
    const names = usedApplications(configuration);
    this.#programs = new Map(names.map((name) => [name, compileProgram(configuration, name, patterns)]));
    const errors = this.#plans.configure(
      [...this.#programs.values()].flatMap(({ content }) => (content === undefined ? [] : [content])),
    );
    this.#environment = {
      matches: matcherOf(this.#options.patterns, patterns),
      ...this.#views(),
    };
    this.#settings = settings;
    return errors;
  }

  #views(): Omit<PolicyEnvironment, 'matches'> {
    const { learned, starttls } = this.#options;
    return { learned, offeredStarttls: (server) => starttls?.offered(server) ?? false };
  }

  /**
   * Undefined: the policy is not one for this protocol, so nothing is read. `unusable`: its messages could not be
   * looked through, so nothing may pass under it.
   */
  scriptOf(
    name: string,
    protocol: PortProtocol,
    lines: LineSettings = AS_EVER,
  ): ApplicationScript | 'unusable' | undefined {
    const program = this.#programs.get(name);
    if (program === undefined || program.protocol !== protocol) return undefined;
    const content = program.content === undefined ? undefined : this.#plans.useOf(program.content);
    if (program.content !== undefined && content === undefined) return 'unusable';
    return { start: this.#startOf(program, lines), content };
  }

  #startOf(program: ApplicationProgram, lines: LineSettings): StartDialogue {
    const { configuration, hostname } = this.#settings ?? { configuration: undefined, hostname: '' };
    const base = { program, environment: this.#environment, hostname };
    switch (program.protocol) {
      case 'smtp':
        return starting(SMTP, {
          ...base,
          inner: { ...smtpPolicy(program, hostname, configuration?.postern.chunking), ...smtpLines(lines) },
        });
      case 'pop3':
        return starting(POP3, { ...base, inner: { ...mailboxPolicy(program, hostname), ...mailboxLines(lines) } });
      case 'imap':
        return starting(IMAP, { ...base, inner: { ...mailboxPolicy(program, hostname), ...mailboxLines(lines) } });
    }
  }
}

/** Names of the application policies that classes of zone-pairs' policies apply, each once. */
export function usedApplications({ zonePairs, policyMaps }: Configuration): readonly string[] {
  const names = new Set<string>();
  for (const { policy } of zonePairs) {
    const map = policyMaps.find((one) => one.name === policy && one.protocol === undefined);
    for (const { actions } of map?.classes ?? []) {
      for (const [action, , name] of actions) if (action === 'service-policy' && name !== undefined) names.add(name);
    }
  }
  return [...names].filter((name) => policyMaps.some((one) => one.name === name && one.protocol !== undefined));
}

/** One policy for all sessions, unless the program asks who the client is. */
function starting<State, Policy>(
  inspector: Inspector<State, ApplicationPolicy<Policy>>,
  policy: ApplicationPolicy<Policy>,
): StartDialogue {
  const { usesClient, usesServer } = policy.program;
  if (!usesClient && !usesServer) {
    const script = { inspector, policy };
    return () => startDialogue(script);
  }
  return ({ initiator, responder }) =>
    startDialogue({ inspector, policy: { ...policy, client: initiator.address, server: serverKey(responder) } });
}

/** A policy that hides STARTTLS wants the dialogue in clear: who asks for it unoffered does not get it either. */
export function smtpPolicy(
  { maskedVerbs, maskedKeywords, countsRefusedRecipients }: ApplicationProgram,
  hostname: string,
  chunking: 'mask' | 'inspect' | undefined,
): SmtpPolicy {
  return {
    ...defaultSmtpPolicy,
    verbs: 'open',
    maskedVerbs,
    maskedKeywords,
    starttls: [...maskedKeywords].some((word) => 'STARTTLS'.startsWith(word)) ? 'mask' : 'allow',
    chunking: chunking === 'inspect' ? 'allow' : 'mask',
    chunksAwaitRecipients: countsRefusedRecipients,
    maxDataBytes: UNLIMITED_BYTES,
    hostname,
  };
}

/** What a class resets the machine refuses for it, as soon as the octets tell: a secret must not pass first. */
function mailboxPolicy(program: ApplicationProgram, hostname: string): Pop3Policy & ImapPolicy {
  const { onClearTextLogin, onInvalidCommand } = program;
  return {
    secureLogin: onClearTextLogin === 'refuse',
    invalidCommand: onInvalidCommand,
    reset: true,
    hostname,
  };
}

/** The handles are taken now: the sets may be released when a later configuration does without them. */
function matcherOf(user: PatternUser | undefined, { sets }: PatternSets): PolicyEnvironment['matches'] {
  if (user === undefined) return () => [];
  const handles = {
    sender: sets.sender === undefined ? undefined : user.usePatterns(sets.sender),
    recipient: sets.recipient === undefined ? undefined : user.usePatterns(sets.recipient),
  };
  return (use, text) => {
    const handle = handles[use];
    return handle === undefined ? [] : user.matchText(handle, text);
  };
}
