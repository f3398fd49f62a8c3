import type { ClassMap, Configuration, PolicyClass, PolicyMap } from '../configuration.ts';
import { type Condition, readCondition } from './conditions.ts';
import { type ContentPlan, contentPlanOf } from './content-plan.ts';
import type { PatternSets } from './pattern-sets.ts';
import { patternUseOf } from './patterns.ts';
import { decidesAlone } from './static-decisions.ts';

export type { ContentPlan };

/** A condition of a class, with what it needs at hand. */
export type ProgramCondition = Condition & {
  /** Index of its parameter-map in the pattern sets; -1 for a condition without one. */
  readonly mapIndex: number;
  /** Its bit in the latches: one condition of one class. */
  readonly bit: bigint;
};

export interface ClassActions {
  readonly log: boolean;
  readonly reset: boolean;
  readonly mask: boolean;
  readonly allow: boolean;
  /** `learn sender`; minutes as configured. */
  readonly learn: { readonly minutes?: number } | undefined;
  /** Counted and logged as would-have; nothing is carried out, and later classes are still tried. */
  readonly shadow: boolean;
}

export interface ProgramClass {
  readonly name: string;
  readonly combine: ClassMap['combine'];
  readonly conditions: readonly ProgramCondition[];
  readonly actions: ClassActions;
}

/** What classes of a program look at: the rest costs nothing. */
export interface ProgramInterests {
  /** `match protocol smtp`, `match client learned`: judged once, before the client's first line. */
  readonly connection: boolean;
  /** Command lines: verbs, lengths, addresses, counts. */
  readonly lines: boolean;
  /** Addresses are held against patterns. */
  readonly senderPatterns: boolean;
  readonly recipientPatterns: boolean;
  /** What becomes of an address that servers read in different ways. */
  readonly unclear: Readonly<Record<'sender' | 'recipient', 'refuse' | 'tell' | 'pass'>>;
  /** A line may be refused before its end: by its verb or its length. */
  readonly prefixes: boolean;
}

/** An application policy, ready to judge (cisco-ios 3.9). Without classes that do something it judges nothing. */
export interface ApplicationProgram {
  readonly protocol: NonNullable<PolicyMap['protocol']>;
  readonly policy: string;
  /** In the order of the policy; class-default and classes without an action left out (D-45). */
  readonly classes: readonly ProgramClass[];
  readonly interests: ProgramInterests;
  /** Conditions of match-all classes that have others beside them: what held has to be remembered. */
  readonly latching: readonly ProgramCondition[];
  /** The bits of those that last until the next greeting. */
  readonly keywordBits: bigint;
  /** What this policy's classes want to know of messages; undefined: nothing. */
  readonly content: ContentPlan | undefined;
  /** Whether a message may be refused for its content; else a budget that was reached refuses nothing. */
  readonly refusesContent: boolean;
  /** A message may be refused for the recipients that its server refused. */
  readonly countsRefusedRecipients: boolean;
  /** Upper-case. What the machine overwrites as it arrives. */
  readonly maskedVerbs: ReadonlySet<string>;
  readonly maskedKeywords: ReadonlySet<string>;
  /** POP3, IMAP: what the machine is to do with it. `refuse` as soon as the octets tell. */
  readonly onInvalidCommand: 'refuse' | 'pass';
  readonly onClearTextLogin: 'refuse' | 'pass';
  /** A class asks whether the client was learned: the inspector's policy needs its address. */
  readonly usesClient: boolean;
  /** A class asks whether the server offered STARTTLS before: the inspector's policy needs its name. */
  readonly usesServer: boolean;
  readonly recipientCount: 'connection' | 'message';
}

/**
 * The application policy of this name as a program. `patterns` is what became of `patternPlanOf` of the same
 * configuration. Throws when there is no such policy, or a map was not compiled.
 */
export function compileProgram(
  configuration: Configuration,
  policyName: string,
  patterns: PatternSets,
): ApplicationProgram {
  const policy = configuration.policyMaps.find(({ name }) => name === policyName);
  if (policy?.protocol === undefined) throw new Error(`there is no application policy ${policyName}`);
  const classes = classesOf(configuration, policy, patterns);
  const conditions = classes.flatMap((entry) => entry.conditions);
  const decides = (condition: Condition): ClassActions | undefined => decidesAlone(classes, condition)?.actions;
  const isMasked = (condition: Condition): boolean => {
    const actions = decides(condition);
    return actions?.mask === true && !actions.reset;
  };
  const mayRefuse = (of: (condition: Condition) => boolean): boolean =>
    classes.some(({ actions, conditions: own }) => actions.reset && !actions.shadow && own.some(of));
  const verbs = conditions.flatMap((condition) => (condition.kind === 'verb' ? [condition.verb] : []));
  const keywords = conditions.flatMap((condition) => (condition.kind === 'ehloKeyword' ? [condition.keyword] : []));
  return {
    protocol: policy.protocol,
    policy: policy.name,
    classes,
    interests: interestsOf(classes, patterns),
    latching: classes.flatMap(latchingOf),
    keywordBits: conditions.reduce((bits, { kind, bit }) => (isOfGreeting(kind) ? bits | bit : bits), 0n),
    content: contentPlanOf(conditions, patterns),
    refusesContent: mayRefuse(isContent),
    countsRefusedRecipients: mayRefuse(({ kind }) => kind === 'recipientInvalidCount'),
    maskedVerbs: new Set(verbs.filter((verb) => isMasked({ kind: 'verb', verb }))),
    maskedKeywords: new Set(keywords.filter((keyword) => isMasked({ kind: 'ehloKeyword', keyword }))),
    onInvalidCommand: decides({ kind: 'invalidCommand' })?.reset === true ? 'refuse' : 'pass',
    onClearTextLogin: decides({ kind: 'clearTextLogin' })?.reset === true ? 'refuse' : 'pass',
    usesServer: conditions.some((condition) => condition.kind === 'starttls' && condition.what === 'stripped'),
    usesClient: conditions.some(({ kind }) => kind === 'clientLearned'),
    recipientCount: configuration.postern.recipientCount ?? 'connection',
  };
}

/** The actions of a class of an application policy. `inspect` is the engine being on, which it is (D-13). */
export function readActions(actions: PolicyClass['actions']): ClassActions {
  const has = (word: string): boolean => actions.some(([action]) => action === word);
  const learn = actions.find(([action]) => action === 'learn');
  const minutes = Number(learn?.[3]);
  return {
    log: has('log'),
    reset: has('reset'),
    mask: has('mask'),
    allow: has('allow'),
    learn: learn === undefined ? undefined : minutes > 0 ? { minutes } : {},
    shadow: has('shadow'),
  };
}

function classesOf({ classMaps }: Configuration, policy: PolicyMap, patterns: PatternSets): readonly ProgramClass[] {
  const classes: ProgramClass[] = [];
  let bits = 0;
  for (const { name, actions: words } of policy.classes) {
    const map = classMaps.find((candidate) => candidate.name === name && candidate.protocol === policy.protocol);
    const actions = readActions(words);
    if (map === undefined || !doesSomething(actions)) continue;
    const conditions = map.matches.map((match) => {
      bits += 1;
      return programCondition(readCondition(match.words), 1n << BigInt(bits - 1), patterns);
    });
    classes.push({ name, combine: map.combine, conditions, actions });
  }
  return classes;
}

function doesSomething({ log, reset, mask, allow, learn }: ClassActions): boolean {
  return log || reset || mask || allow || learn !== undefined;
}

function programCondition(condition: Condition, bit: bigint, { maps }: PatternSets): ProgramCondition {
  const used = patternUseOf(condition);
  const mapIndex = used === undefined ? -1 : maps.indexOf(used.map);
  if (used !== undefined && mapIndex < 0) throw new Error(`parameter-map ${used.map} was not compiled`);
  return { ...condition, mapIndex, bit };
}

/** Verbs and lengths of lines are of their line alone, counts latch by themselves. */
function latchingOf({ combine, conditions }: ProgramClass): readonly ProgramCondition[] {
  if (combine === 'match-any' || conditions.length < 2) return [];
  return conditions.filter(({ kind }) => !NEVER_LATCHED.includes(kind));
}

function interestsOf(classes: readonly ProgramClass[], { sets }: PatternSets): ProgramInterests {
  const kinds = new Set(classes.flatMap(({ conditions }) => conditions.map(({ kind }) => kind)));
  const some = (wanted: readonly Condition['kind'][]): boolean => wanted.some((kind) => kinds.has(kind));
  const resetting = classes.filter(({ actions }) => actions.reset && !actions.shadow);
  const learning = classes.filter(({ actions }) => actions.learn !== undefined && !actions.shadow);
  const ofUnclear = (looksAt: boolean): 'refuse' | 'tell' | 'pass' => {
    if (!looksAt) return 'pass';
    return resetting.length + learning.length > 0 ? 'refuse' : 'tell';
  };
  return {
    connection: some(OF_CONNECTION),
    lines: some(OF_LINES),
    senderPatterns: kinds.has('sender') && sets.sender !== undefined,
    recipientPatterns: kinds.has('recipient') && sets.recipient !== undefined,
    unclear: {
      sender: ofUnclear(some(['sender', 'senderLearned']) || learning.length > 0),
      recipient: ofUnclear(some(['recipient'])),
    },
    prefixes: resetting.some(({ conditions }) => conditions.some(({ kind }) => TOLD_BY_PREFIXES.includes(kind))),
  };
}

/** What the server offers holds until it is asked anew. */
function isOfGreeting(kind: Condition['kind']): boolean {
  return kind === 'ehloKeyword' || kind === 'starttls';
}

function isContent({ kind }: Condition): boolean {
  return CONTENT.includes(kind);
}

type Kinds = readonly Condition['kind'][];

const OF_CONNECTION: Kinds = ['everyConnection', 'clientLearned'];
const OF_LINES: Kinds = ['sender', 'senderLearned', 'recipient', 'recipientCount', 'verb', 'lineLength'];
const TOLD_BY_PREFIXES: Kinds = ['verb', 'lineLength', ...OF_CONNECTION];
const NEVER_LATCHED: Kinds = ['verb', 'lineLength', 'recipientCount', 'recipientInvalidCount'];
const CONTENT: Kinds = ['header', 'body', 'contentType', 'encoding', 'headerLength', 'dataLength'];
