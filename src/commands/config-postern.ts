import type { PosternOptions } from '../policy/configuration.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, note } from './draft.ts';
import { without } from './lists.ts';
import { settleThresholds } from './thresholds.ts';

const HELP: Readonly<Record<string, string>> = {
  postern: 'What IOS has no line for',
  compat: 'Which IOS to be like',
  defaults: 'Thresholds where none are configured',
  classic: '400 and 500 half-open sessions, 50 to one host',
  modern: 'No limits',
  queue: 'Queues between the kernel and Postern, one worker each',
  count: 'Number of queues',
  length: 'Packets that one queue holds',
  fail: 'What happens to packets when no worker answers or a queue is full',
  closed: 'They are dropped',
  open: 'They pass unjudged',
  offload: 'Decided sessions leave the queue',
  'syn-proxy': 'The kernel answers the first packets of a flood in the place of the server',
  aggressive: 'In aggressive mode, for the servers that the flood is for',
  chunking: 'What becomes of BDAT under a policy of SMTP',
  mask: 'CHUNKING is taken out of the answer to EHLO, as in IOS',
  inspect: 'It is left there, and the chunks are read as the message they are',
  'recipient-count': 'Over what `match recipient count` counts',
  connection: 'The whole connection',
  message: 'One message',
  hostname: 'The name in refusals',
  NAME: 'Name',
};

/** The lines of our own (contract). They come first, because the thresholds that follow depend on the profile. */
export const POSTERN_COMMANDS: readonly ConfigCommand[] = [
  ...option('compat defaults', '<classic|modern>$value', {
    read: (args) => ({ defaults: args.text('value') === 'modern' ? 'modern' : 'classic' }),
    keys: ['defaults'],
    print: ({ defaults }) => defaults,
  }),
  ...option('queue count', '(1-64)$value [length (64-1048576)$packets]', {
    read: (args) => ({
      queueCount: args.number('value'),
      ...(args.has('packets') ? { queueLengthPackets: args.number('packets') } : {}),
    }),
    keys: ['queueCount', 'queueLengthPackets'],
    print: ({ queueCount, queueLengthPackets }) =>
      queueCount === undefined
        ? undefined
        : `${queueCount}${queueLengthPackets === undefined ? '' : ` length ${queueLengthPackets}`}`,
  }),
  ...option('fail', '<closed|open>$value', {
    read: (args) => ({ fail: args.text('value') === 'open' ? 'open' : 'closed' }),
    keys: ['fail'],
    print: ({ fail }) => fail,
  }),
  ...option('offload', '<on|off>$value', {
    read: (args) => ({ offload: args.text('value') === 'on' }),
    keys: ['offload'],
    print: ({ offload }) => (offload === undefined ? undefined : offload ? 'on' : 'off'),
  }),
  ...option('syn-proxy', '<off|aggressive>$value', {
    read: (args) => ({ synProxy: args.text('value') === 'aggressive' ? 'aggressive' : 'off' }),
    keys: ['synProxy'],
    print: ({ synProxy }) => synProxy,
  }),
  ...option('chunking', '<mask|inspect>$value', {
    read: (args) => ({ chunking: args.text('value') === 'inspect' ? 'inspect' : 'mask' }),
    keys: ['chunking'],
    print: ({ chunking }) => chunking,
  }),
  ...option('recipient-count', '<connection|message>$value', {
    read: (args) => ({ recipientCount: args.text('value') === 'message' ? 'message' : 'connection' }),
    keys: ['recipientCount'],
    print: ({ recipientCount }) => recipientCount,
  }),
  ...option('hostname', 'NAME', {
    read: (args) => ({ hostname: args.text('NAME') }),
    keys: ['hostname'],
    print: ({ hostname }) => hostname,
  }),
];

interface Option {
  readonly read: (args: {
    text(name: string): string;
    number(name: string): number;
    has(name: string): boolean;
  }) => PosternOptions;
  readonly keys: readonly (keyof PosternOptions)[];
  readonly print: (options: PosternOptions) => string | undefined;
}

function option(words: string, value: string, { read, keys, print }: Option): readonly ConfigCommand[] {
  return [
    {
      modes: ['global'],
      grammar: [`postern ${words} ${value}`],
      help: HELP,
      apply: (draft, args) => change(draft, { ...without(draft.configuration.postern, ...keys), ...read(args) }),
      print: ({ postern }) => {
        const printed = print(postern);
        return printed === undefined ? [] : [`postern ${words} ${printed}`];
      },
    },
    {
      modes: ['global'],
      grammar: [`no postern ${words} [LINE]`],
      help: HELP,
      apply: (draft) => change(draft, without(draft.configuration.postern, ...keys)),
    },
  ];
}

function change(draft: Draft, postern: PosternOptions): void {
  const settled = settleThresholds({ ...draft.configuration, postern });
  draft.configuration = settled.configuration;
  for (const message of settled.messages) note(draft, message);
}
