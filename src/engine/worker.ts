import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { loadAddon, loadPatterns } from '../native/addon.ts';
import { LearnedIndex } from '../policy/learned.ts';
import { DebugBudget } from './debug-budget.ts';
import { debugLines } from './debug-line.ts';
import { PacketEngine } from './packet-engine.ts';
import { type SessionLimitLayout, SessionLimits } from './session-limits.ts';
import type { FromWorker, ToWorker, WorkerReply, WorkerStart } from './worker-protocol.ts';

const UNLIMITED: SessionLimitLayout = { maximum: Number.POSITIVE_INFINITY, rules: [] };

/**
 * A worker thread: the native loop owns it. JavaScript runs when a batch is judged, and between two runs of the loop,
 * when somebody woke it to drain its messages. Its event loop never turns.
 */
function main(port: MessagePort, start: WorkerStart): void {
  const post = (message: FromWorker): void => port.postMessage(message);
  const addon = loadAddon();
  const rank = addon.rankWorkerThread();
  const limits = new SessionLimits(start.sessionCounts, start.worker, start.settings.sessionLimits ?? UNLIMITED);
  const learned = new LearnedIndex(Date.now);
  if (start.learned !== undefined) learned.apply(start.learned);
  const debugBudget = new DebugBudget();
  const engine = new PacketEngine({
    addon,
    limits,
    host: start.host,
    worker: start.worker,
    settings: start.settings,
    patterns: loadPatterns(),
    log: (message) => post({ kind: 'log', message }),
    learned,
    learn: (learning) => {
      learned.learn(learning);
      post({ kind: 'learn', learned: learning });
    },
    observe: (event) => {
      for (const line of debugBudget.admit(debugLines(event), event.timeMs)) post({ kind: 'debug', line });
    },
  });
  engine.watch(false);
  post({ kind: 'serving', rank, tookOver: engine.tookOver });

  for (;;) {
    engine.run();
    for (let item = receiveMessageOnPort(port); item !== undefined; item = receiveMessageOnPort(port)) {
      const message = item.message as ToWorker;
      if (message.kind === 'stop') {
        engine.close();
        return;
      }
      if (message.kind === 'configure') limits.configure(message.settings.sessionLimits ?? UNLIMITED);
      if (message.kind === 'debug') engine.watch(message.on);
      else if (message.kind === 'learned') learned.apply(message.changes);
      else handle(engine, message, start.testHooks, post);
    }
  }
}

type Request = Exclude<ToWorker, { readonly kind: 'stop' | 'debug' | 'learned' }>;

function handle(engine: PacketEngine, message: Request, testHooks: boolean, post: (message: FromWorker) => void): void {
  const answer = (request: number, reply: WorkerReply): void => post({ kind: 'reply', request, reply });
  switch (message.kind) {
    case 'configure':
      engine.configure(message.settings);
      answer(message.request, { kind: 'count', count: 0 });
      return;
    case 'sessions':
      answer(message.request, { kind: 'sessions', sessions: engine.sessions() });
      return;
    case 'statistics':
      answer(message.request, { kind: 'statistics', statistics: engine.statistics() });
      return;
    case 'clearSessions':
      answer(message.request, { kind: 'count', count: engine.clearSessions(message.id) });
      return;
    case 'clearZoneSessions':
      answer(message.request, { kind: 'count', count: engine.clearZoneSessions(message.zonePair) });
      return;
    case 'clearStatistics':
      engine.clearStatistics();
      answer(message.request, { kind: 'count', count: 0 });
      return;
    case 'policyStatistics':
      answer(message.request, { kind: 'policyStatistics', statistics: engine.policyStatistics() });
      return;
    case 'clearPolicyStatistics':
      engine.clearPolicyStatistics(message.zonePair);
      answer(message.request, { kind: 'count', count: 0 });
      return;
    case 'stall':
      while (testHooks);
      return;
    case 'crash':
      if (testHooks) throw new Error('crashed on request');
  }
}

if (parentPort !== null) main(parentPort, workerData as WorkerStart);
