import { type Guard, guardsOf } from './guard.ts';

/** Guards of the rules that go to the kernel, and of the thresholds against floods. */

const RULES = 'src/netfilter/rules.test.ts';
const ZONES = 'src/netfilter/zone-rules.test.ts';
const OPENINGS = 'src/netfilter/openings.test.ts';

const rules = guardsOf(
  'src/netfilter/rules.ts',
  [RULES, OPENINGS, 'src/netfilter/generic-rules.test.ts'],
  [
    [
      'rules-no-bypass',
      'a queue that nobody serves passes nothing, unless it fails open (docs/rules.md)',
      "const bypass = fail === 'open' ? ' --queue-bypass' : '';",
      "const bypass = ' --queue-bypass';",
    ],
    [
      'rules-sessions-queued',
      'what belongs to a session goes to the queue, never only past it (docs/rules.md)',
      `lines.push(\`\${chain} \${notLoopback}\${member} -j POSTERN-QUEUE\`);`,
      '',
    ],
    [
      'rules-injected-bit',
      'the mark of what Postern builds lets pass on OUTPUT only (docs/rules.md)',
      "if (hook === 'OUTPUT') lines.push(",
      'lines.push(',
    ],
    [
      'rules-ends-seen',
      'FIN, RST and SYN of an offloaded connection still come (docs/rules.md)',
      "const middle = '-p tcp --tcp-flags FIN,SYN,RST NONE';",
      "const middle = '-p tcp';",
    ],
    [
      'rules-offload-under-way',
      'an offload ends with its connection (docs/rules.md)',
      "const UNDER_WAY = '-m conntrack --ctexpire 121:4294967295';",
      "const UNDER_WAY = '-m conntrack';",
    ],
    [
      'rules-fragments',
      'conntrack puts fragments together before the queue (docs/rules.md)',
      '-m conntrack --ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED -j POSTERN-',
      '-j POSTERN-',
    ],
    [
      'rules-untracked-syn',
      'a SYN that conntrack does not keep goes to the gate (docs/rules.md)',
      // biome: the text holds a template of the product.
      `lines.push(\`\${chain} -p tcp --syn -m conntrack --ctstate INVALID,UNTRACKED \${queue(0)}\`);`,
      '',
    ],
    [
      'rules-marks-cleared-first',
      'a mark that a packet brought along says nothing (docs/rules.md)',
      `lines.push(\`\${chain} -m mark ! --mark \${noneOf(bits.all)} -j MARK --set-xmark \${noneOf(bits.all)}\`);`,
      'lines.push();',
    ],
    [
      'rules-marks-cleared-last',
      'no bit of ours leaves with a packet (docs/rules.md)',
      `\`\${chain} -j MARK --set-xmark \${noneOf(bits.all)}\`,`,
      '',
    ],
    [
      'rules-told-drops-stay-dropped',
      'what came to the gate only to be told of is dropped when a full queue lets it pass (cisco-ios 1.10)',
      `...(zones.tells ? [\`\${chain} -m mark --mark \${exactly(bits.zoneDrop, bits.all)} -j DROP\`] : []),`,
      '',
      [ZONES, RULES],
    ],
    [
      'rules-lists-first',
      'access lists stand before offloaded flows (docs/rules.md)',
      '...(saving ? saveChain(plan) : []),',
      '',
    ],
  ],
);

const lists = guardsOf(
  'src/netfilter/access-rules.ts',
  [OPENINGS, RULES],
  [
    [
      'lists-deny-the-rest',
      'what no entry of a list permits is denied (cisco-ios 3.1)',
      `\`-A \${name} -m comment --comment "\${label} the end" -j DROP\`,`,
      '',
    ],
    [
      'lists-judge-syns',
      'what opens a session needs a permit of its own (cisco-ios 3.1)',
      '-p tcp ! --syn ${opening}',
      '-p tcp ${opening}',
    ],
  ],
);

const zoneRules = guardsOf(
  'src/netfilter/zone-rules.ts',
  [ZONES],
  [
    [
      'zone-rules-drop',
      'a class that drops has a rule that drops (cisco-ios 1.10)',
      "const label = counted(zonePair, className, 'drop');\n    if (!tells) return [`${label} -j DROP`];",
      "const label = counted(zonePair, className, 'drop');\n    if (!tells) return [`${label} -j RETURN`];",
    ],
    [
      'zone-rules-drop-told',
      'also behind the copies that are told of (cisco-ios 1.10)',
      "return [label, `${TELL_LIMIT} -j ${DROPPED_CHAIN}`, '-j DROP'];\n  }\n\n  /** Both",
      "return [label, `${TELL_LIMIT} -j ${DROPPED_CHAIN}`, '-j RETURN'];\n  }\n\n  /** Both",
    ],
    [
      'zone-rules-no-pair',
      'between two zones without a pair nothing passes (cisco-ios 1.10)',
      "if (from === to) return ['-j RETURN'];",
      "if (from === to || pair === undefined) return ['-j RETURN'];",
    ],
    [
      'zone-rules-told-no-bypass',
      'a copy for the log that nobody takes is dropped (cisco-ios 1.10)',
      '[mark(bits.zoneDrop), `-j NFQUEUE --queue-num ${firstQueue}`]',
      '[mark(bits.zoneDrop), `-j NFQUEUE --queue-num ${firstQueue} --queue-bypass`]',
    ],
    [
      'zone-rules-inspect-rest',
      'of an inspected class, what can have no session is dropped (cisco-ios 1.10)',
      "-m conntrack --ctstate NEW,ESTABLISHED -j POSTERN-QUEUE`,\n              '-j DROP',",
      '-m conntrack --ctstate NEW,ESTABLISHED -j POSTERN-QUEUE`,',
    ],
    [
      'zone-rules-syn-anew',
      'what opens a session is judged anew (cisco-ios 1.10)',
      '-p tcp ! --syn ${member} NEW,ESTABLISHED',
      '-p tcp ${member} NEW,ESTABLISHED',
    ],
    [
      'zone-rules-tell-self',
      'a packet for the router is not told of where a full queue would let it pass (docs/rules.md)',
      'const tells = !(this.#failOpen && pair.destination === SELF_ZONE);',
      'const tells = true;',
    ],
    [
      'zone-rules-police',
      'what is over the rate of a class is dropped (cisco-ios 1.9)',
      "const label = counted(pair.name, name, 'police');\n    const exceeded = this.#sharedChain(`${pair.name} ${name}`, () => {\n      if (!tells) return [`${label} -j DROP`];",
      "const label = counted(pair.name, name, 'police');\n    const exceeded = this.#sharedChain(`${pair.name} ${name}`, () => {\n      if (!tells) return [`${label} -j RETURN`];",
    ],
  ],
);

const thresholds: readonly Guard[] = [
  ...guardsOf(
    'src/firewall/thresholds.ts',
    ['src/firewall/thresholds.test.ts'],
    [
      [
        'flood-half-open',
        'above max-incomplete high the gate is aggressive (cisco-ios 3.3)',
        'const crowded = most > limits.maxIncompleteHigh;',
        'const crowded = false;',
      ],
      [
        'flood-one-minute',
        'so it is above one-minute high (cisco-ios 3.3)',
        'if (!crowded && rate <= limits.oneMinuteHigh) return { state };',
        'if (!crowded) return { state };',
      ],
      [
        'flood-peak',
        'a burst between two samples counts (cisco-ios 3.3)',
        'Math.max(sample.halfOpen, sample.halfOpenPeak)',
        'sample.halfOpen',
      ],
      [
        'flood-calm',
        'it is calm only below both low thresholds (cisco-ios 3.3)',
        'if (sample.halfOpen >= limits.maxIncompleteLow || rate >= limits.oneMinuteLow) return { state };',
        'if (sample.halfOpen >= limits.maxIncompleteLow) return { state };',
      ],
    ],
  ),
  ...guardsOf(
    'src/firewall/host-blocks.ts',
    ['src/firewall/host-blocks.test.ts'],
    [
      [
        'host-block',
        'a server above its limit is blocked (cisco-ios 3.4)',
        'if (limit.blockMinutes === 0 || blocks.has(host) || blocks.size >= BLOCKED_HOSTS_MAX) continue;',
        'continue;',
      ],
      ['host-block-lasts', 'for as long as is configured (cisco-ios 3.4)', 'if (nowMs < untilMs) continue;', ''],
      [
        'host-block-not-longer',
        'and no longer, whatever comes meanwhile (D-23)',
        'blocks.has(host) || blocks.size',
        'blocks.size',
      ],
      [
        'host-blocks-bounded',
        'as many servers are blocked as are kept (limits.md)',
        ' || blocks.size >= BLOCKED_HOSTS_MAX) continue;',
        ') continue;',
      ],
      [
        'host-episodes-bounded',
        'as many servers are remembered as are kept (limits.md)',
        'if (episodes.size >= HOST_EPISODES_MAX && oldest !== undefined) episodes.delete(oldest);',
        '',
      ],
    ],
  ),
];

export const KERNEL: readonly Guard[] = [...rules, ...lists, ...zoneRules, ...thresholds];
