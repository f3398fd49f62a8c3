import { type GrammarNode, parseGrammar } from './grammar.ts';
import type { Token } from './token.ts';

/** What one command brings to a graph: its grammar, what stands behind it, and a sentence for each of its words. */
export interface GraphEntry<Command> {
  readonly grammar: string;
  readonly command: Command;
  readonly help: Readonly<Record<string, string>>;
}

/**
 * A point of the graph. A node with a token consumes a word; one without is a junction. `once` is the gate of a branch
 * of `{a|b}`, which a line may pass one time only. A node with `end` completes that command.
 */
export interface GraphNode<Command> {
  readonly token?: Token;
  readonly binds: readonly string[];
  readonly help: string;
  readonly once?: number;
  readonly end?: Command;
  readonly next: GraphNode<Command>[];
}

/** All commands of one mode. The same graph matches lines, answers `?` and Tab, and reads configuration files. */
export interface Graph<Command> {
  readonly start: GraphNode<Command>;
}

interface Builder<Command> {
  readonly entry: GraphEntry<Command>;
  gates: number;
}

export function buildGraph<Command>(entries: readonly GraphEntry<Command>[]): Graph<Command> {
  const start = junction<Command>();
  let gates = 0;
  for (const entry of entries) {
    const builder: Builder<Command> = { entry, gates };
    const last = attach(builder, parseGrammar(entry.grammar), start, []);
    last.next.push({ binds: [], help: '', end: entry.command, next: [] });
    gates = builder.gates;
  }
  return { start };
}

/** Hangs a grammar node behind `from` and answers the node behind which the next one hangs. */
function attach<Command>(
  builder: Builder<Command>,
  node: GrammarNode,
  from: GraphNode<Command>,
  binds: readonly string[],
): GraphNode<Command> {
  switch (node.kind) {
    case 'token':
      return attachToken(builder, node, from, binds);
    case 'sequence':
      return node.items.reduce((last, item) => attach(builder, item, last, binds), from);
    case 'choice': {
      const after = junction<Command>();
      const inner = node.bind === undefined ? binds : [...binds, node.bind];
      for (const branch of node.branches) attach(builder, branch, from, inner).next.push(after);
      return after;
    }
    case 'optional': {
      const after = junction<Command>();
      from.next.push(after);
      attach(builder, node.item, from, binds).next.push(after);
      return after;
    }
    case 'anyOrder':
      return attachAnyOrder(builder, node.branches, from, binds);
  }
}

function attachToken<Command>(
  builder: Builder<Command>,
  node: GrammarNode & { kind: 'token' },
  from: GraphNode<Command>,
  binds: readonly string[],
): GraphNode<Command> {
  const own = node.bind === undefined || binds.includes(node.bind) ? binds : [...binds, node.bind];
  const created: GraphNode<Command> = { token: node.token, binds: own, help: helpFor(builder, node), next: [] };
  from.next.push(created);
  return created;
}

function attachAnyOrder<Command>(
  builder: Builder<Command>,
  branches: readonly GrammarNode[],
  from: GraphNode<Command>,
  binds: readonly string[],
): GraphNode<Command> {
  const after = junction<Command>();
  for (const branch of branches) {
    const gate: GraphNode<Command> = { binds: [], help: '', once: builder.gates, next: [] };
    builder.gates += 1;
    from.next.push(gate);
    after.next.push(gate);
    attach(builder, branch, gate, binds).next.push(after);
  }
  const exit = junction<Command>();
  after.next.push(exit);
  return exit;
}

function junction<Command>(): GraphNode<Command> {
  return { binds: [], help: '', next: [] };
}

function helpFor<Command>(builder: Builder<Command>, node: GrammarNode & { kind: 'token' }): string {
  const names = node.token.kind === 'keyword' ? [node.token.text, node.bind] : [node.bind];
  for (const name of names) {
    const help = name === undefined ? undefined : builder.entry.help[name];
    if (help !== undefined) return help;
  }
  return '';
}
