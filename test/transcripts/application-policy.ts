import { smtpPolicy } from '../../src/engine/application.ts';
import type { ContentFact } from '../../src/inspect/facts.ts';
import type { Action, Frame, Inspector, Side } from '../../src/inspect/inspector.ts';
import { type LearnedView, NOTHING_LEARNED, type PolicyEnvironment } from '../../src/policy/application/environment.ts';
import {
  type ApplicationPolicy,
  type ApplicationState,
  applicationInspector,
} from '../../src/policy/application/inspector.ts';
import type { PatternPlan, PatternSets } from '../../src/policy/application/pattern-sets.ts';
import { patternPlanOf } from '../../src/policy/application/patterns.ts';
import { type ApplicationProgram, compileProgram } from '../../src/policy/application/program.ts';
import { type ClassMap, type Configuration, EMPTY_CONFIGURATION } from '../../src/policy/configuration.ts';
import { smtp } from '../../src/protocols/smtp/machine.ts';
import type { SmtpPolicy } from '../../src/protocols/smtp/policy.ts';
import type { SmtpState } from '../../src/protocols/smtp/state.ts';
import { describeActions } from './notation.ts';

/** An application policy in few words. */
export interface PolicyText {
  readonly protocol?: 'smtp' | 'pop3' | 'imap';
  /** Regex parameter-maps and their patterns; one that ends in `/i` has `ignore-case`. */
  readonly maps?: Readonly<Record<string, readonly string[]>>;
  /** Class-maps: `match-any` or `match-all`, then the words behind `match`. */
  readonly classes: Readonly<Record<string, readonly string[]>>;
  /** Classes of the policy in order, with their actions, commas between. */
  readonly policy: Readonly<Record<string, string>>;
  readonly recipientCount?: 'connection' | 'message';
}

/** The policy P of a configuration that has nothing else. */
export function configurationOf(text: PolicyText): Configuration {
  const { protocol = 'smtp', maps = {}, classes, policy, recipientCount } = text;
  return {
    ...EMPTY_CONFIGURATION,
    parameterMaps: Object.entries(maps).map(([name, patterns]) => ({
      name: name.replace('/i', ''),
      kind: 'regex' as const,
      lines: [
        ...(name.endsWith('/i') ? [['ignore-case']] : []),
        ...patterns.map((pattern) => ['pattern', `"${pattern}"`]),
      ],
    })),
    classMaps: Object.entries(classes).map(([name, [combine, ...matches]]) => ({
      name,
      protocol,
      combine: combine as ClassMap['combine'],
      matches: matches.map((words) => ({ words: words.split(' ') })),
    })),
    policyMaps: [
      {
        name: 'P',
        protocol,
        classes: Object.entries(policy).map(([name, actions]) => ({
          name,
          actions: actions === '' ? [] : actions.split(', ').map((words) => words.split(' ')),
        })),
      },
    ],
    postern: recipientCount === undefined ? {} : { recipientCount },
  };
}

/** A set for each use, none compiled: the numbers stand for themselves. */
export function setsOf({ maps, uses }: PatternPlan): PatternSets {
  return { maps, sets: Object.fromEntries(Object.keys(uses).map((use, index) => [use, index + 1])) };
}

export function programOf(text: PolicyText): ApplicationProgram {
  const configuration = configurationOf(text);
  return compileProgram(configuration, 'P', setsOf(patternPlanOf(configuration)));
}

/** Matches as the engine does, as far as JavaScript's expressions mean the same; every text asked about is noted. */
export function environmentOf(
  plan: PatternPlan,
  learned: Partial<LearnedView> = {},
): PolicyEnvironment & { readonly asked: readonly string[] } {
  const asked: string[] = [];
  return {
    asked,
    learned: { ...NOTHING_LEARNED, ...learned },
    matches(use, text) {
      asked.push(`${use} ${text}`);
      const found = (plan.uses[use] ?? []).filter(({ expression, caseless }) =>
        new RegExp(expression, caseless ? 'si' : 's').test(text),
      );
      return [...new Set(found.map(({ id = 0 }) => id))];
    },
  };
}

export interface SmtpOptions {
  readonly learned?: Partial<LearnedView>;
  readonly client?: string;
  readonly inner?: Partial<SmtpPolicy>;
}

/** SMTP under an application policy, with the machine's own part as the engine sets it. */
export function smtpPolicyOf(text: PolicyText, options: SmtpOptions = {}): ApplicationPolicy<SmtpPolicy> {
  const program = programOf(text);
  const inner: SmtpPolicy = { ...smtpPolicy(program, 'gw.example', 'inspect'), ...options.inner };
  const environment = environmentOf(patternPlanOf(configurationOf(text)), options.learned);
  return { inner, program, environment, hostname: 'gw.example', client: options.client };
}

export const applicationSmtp: Inspector<
  ApplicationState<SmtpState>,
  ApplicationPolicy<SmtpPolicy>
> = applicationInspector(smtp);

/** Steps an inspector frame by frame, and says what it answered. */
export class Desk<State, Policy> {
  state: State;
  last: readonly Action[] = [];
  readonly #inspector: Inspector<State, Policy>;
  readonly #policy: Policy;

  constructor(inspector: Inspector<State, Policy>, policy: Policy) {
    this.#inspector = inspector;
    this.#policy = policy;
    this.state = inspector.initial;
  }

  /** Whole lines, `C:` or `S:` each; answers what the last one came to. */
  say(...lines: readonly string[]): string {
    let outcome = '';
    for (const line of lines) {
      const from: Side = line.startsWith('C') ? 'initiator' : 'responder';
      outcome = this.step({ kind: 'line', from, text: line.slice(3), end: 'crlf' });
    }
    return outcome;
  }

  /** The first octets of a line of the client. */
  begin(text: string): string {
    return this.step({ kind: 'partial', from: 'initiator', text });
  }

  found(facts: readonly ContentFact[], finished = false): string {
    return this.step({ kind: 'content', from: 'initiator', facts, finished });
  }

  dataEnd(): string {
    return this.step({ kind: 'dataEnd', from: 'initiator', bytes: 100 });
  }

  step(frame: Frame): string {
    const { state, actions } = this.#inspector.step(this.state, frame, this.#policy);
    if (frame.kind === 'partial' && state !== this.state) throw new Error('a partial frame changed the state');
    this.state = state;
    this.last = actions;
    return describeActions(frame, actions);
  }
}

export function smtpDesk(text: PolicyText, options: SmtpOptions = {}) {
  return new Desk(applicationSmtp, smtpPolicyOf(text, options));
}

/** Up to the point where MAIL may come. */
export const GREETING: readonly string[] = ['S: 220 mx', 'C: EHLO c', 'S: 250 mx'];
export const ENVELOPE: readonly string[] = [
  ...GREETING,
  'C: MAIL FROM:<a@b.example>',
  'S: 250 ok',
  'C: RCPT TO:<u@c.example>',
  'S: 250 ok',
];

/** Maps for most tests. */
export const MAPS = {
  DEALS: ['*deals\\.com'],
  TRAP: ['trap@c\\.example'],
  SUBJECT: ['Subject:*lottery*'],
  MARK: ['*UD-421590*'],
};
/** One class C with one match. */
export const single = (match: string, actions: string, more: Partial<PolicyText> = {}): PolicyText => ({
  maps: MAPS,
  classes: { C: ['match-all', match] },
  policy: { C: actions },
  ...more,
});
/** How a refusal reads, behind what else was answered. */
export const refused = (reason: string, hits = ''): string =>
  `${hits}refuse ${reason} words "554 5.7.1 gw.example ref..."`;
