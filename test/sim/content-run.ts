import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Judge } from '../../src/engine/judge.ts';
import { loopOptions } from '../../src/engine/loop-options.ts';
import type { OpenedFlow } from '../../src/engine/opening.ts';
import { type Session, startDialogue } from '../../src/engine/session.ts';
import type { ContentFact } from '../../src/inspect/facts.ts';
import type { PolicyHit } from '../../src/inspect/policy-hit.ts';
import type { Addon, PatternAddon, PatternPlace } from '../../src/native/addon.ts';
import { allocateBuffers, OrderWriter } from '../../src/native/event-batch.ts';
import type { ApplicationPolicy } from '../../src/policy/application/inspector.ts';
import type { PatternPlan, PatternSets, PatternUse } from '../../src/policy/application/pattern-sets.ts';
import { patternPlanOf } from '../../src/policy/application/patterns.ts';
import { compileProgram } from '../../src/policy/application/program.ts';
import type { SmtpPolicy } from '../../src/protocols/smtp/policy.ts';
import { applicationSmtp, configurationOf, type PolicyText, smtpPolicyOf } from '../transcripts/application-policy.ts';
import { configurationFor } from './native-run.ts';

export type SmtpApplication = ApplicationPolicy<SmtpPolicy>;

/** What the native path made of a capture whose messages are looked into. */
export interface ContentRun {
  /** Each in its order; `finished` stands before what was told at a message's end. */
  readonly facts: readonly (ContentFact | 'finished')[];
  readonly hits: readonly PolicyHit[];
  readonly refusedFor: string | undefined;
  readonly ends: readonly string[];
  readonly counters: Readonly<Record<string, number>>;
  readonly output: Buffer;
}

const PLACES: Readonly<Record<PatternUse, PatternPlace>> = {
  ...{ sender: 'field', recipient: 'field', header: 'field', contentType: 'field', body: 'body', decoded: 'body' },
};

const compiled = new Map<string, Promise<number>>();

/** The patterns of a policy, compiled once for all runs. */
async function setsFor(patterns: PatternAddon, { maps, uses }: PatternPlan): Promise<PatternSets> {
  const sets: Partial<Record<PatternUse, number>> = {};
  for (const [use, texts] of Object.entries(uses) as [PatternUse, PatternPlan['uses'][PatternUse]][]) {
    const key = JSON.stringify([PLACES[use], texts]);
    const set = compiled.get(key) ?? patterns.compilePatterns(texts ?? [], PLACES[use]);
    compiled.set(key, set);
    sets[use] = await set;
  }
  return { maps, sets };
}

/** The policy as the engine has it, its content plan in numbers of the binary. */
export async function policyFor(patterns: PatternAddon, text: PolicyText): Promise<SmtpApplication> {
  const configuration = configurationOf(text);
  const sets = await setsFor(patterns, patternPlanOf(configuration));
  return { ...smtpPolicyOf(text), program: compileProgram(configuration, 'P', sets) };
}

/** Runs a capture through the packet loop, its judge and the SMTP machine under this policy. */
export function runWithContent(addon: Addon, capture: Buffer, policy: SmtpApplication): ContentRun {
  const folder = mkdtempSync(join(tmpdir(), 'postern-content-'));
  const out = join(folder, 'out.pcap');
  writeFileSync(join(folder, 'in.pcap'), capture);
  const host = addon.openCapture(join(folder, 'in.pcap'), out);
  try {
    const told = serve(addon, host, policy);
    addon.run(host);
    const names = addon.counterNames();
    const counters = Object.fromEntries(Array.from(addon.counters(host), (value, index) => [names[index], value]));
    addon.close(host);
    const refusedFor = told.sessions.map((session) => session.refusedFor).find((reason) => reason !== undefined);
    return { ...told, refusedFor, counters, output: readFileSync(out) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function serve(addon: Addon, host: number, policy: SmtpApplication) {
  const facts: (ContentFact | 'finished')[] = [];
  const hits: PolicyHit[] = [];
  const ends: string[] = [];
  const sessions: Session[] = [];
  const { content } = policy.program;
  const contentPlan = content === undefined ? undefined : addon.definePlan(host, content);
  const configuration = configurationFor({ protocol: 'esmtp', reset: false, secureLogin: false });
  const marks = { offloadBoth: 0, offloadResponder: 0, clear: 0, session: 0 };
  addon.configure(host, loopOptions({ configuration, hostname: 'gw.example', marks }));
  const buffers = allocateBuffers();
  const judge = new Judge(buffers, new OrderWriter(buffers), {
    open(flow) {
      const session = sessionOf(flow, policy, contentPlan, facts);
      sessions.push(session);
      return session;
    },
    log: () => undefined,
    matched: (_session, hit) => void hits.push(hit),
    observe: (event) => event.kind === 'close' && void ends.push(event.what),
  });
  addon.serve(host, buffers, (events) => judge.judge(events));
  return { facts, hits, ends, sessions };
}

function sessionOf(
  { flow, generation, initiator, responder }: OpenedFlow,
  policy: SmtpApplication,
  contentPlan: number | undefined,
  facts: (ContentFact | 'finished')[],
): Session {
  const dialogue = startDialogue({ inspector: applicationSmtp, policy });
  return {
    ...{ id: '00000001', flow, generation, protocol: 'smtp', rule: 'sim', initiator, responder, contentPlan },
    ...{ alert: false, auditTrail: false, idleSeconds: 3_600 },
    dialogue: {
      lineBytesMax: dialogue.lineBytesMax,
      step(frame) {
        if (frame.kind === 'content') facts.push(...(frame.finished ? ['finished' as const] : []), ...frame.facts);
        return dialogue.step(frame);
      },
      stage: () => dialogue.stage(),
    },
  };
}
