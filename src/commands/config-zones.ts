import type { Arguments } from '../language/match.ts';
import { ZONE_NAME_CHARACTERS_MAX, ZONE_PAIR_NAME_CHARACTERS_MAX } from '../limits.ts';
import type { Zone, ZonePair } from '../policy/configuration.ts';
import type { ConfigCommand } from './config-command.ts';
import { type Draft, fail, GLOBAL_MODE, markOrigin, refuseSection } from './draft.ts';
import { put, without } from './lists.ts';
import { descriptionCommand, nameMistake } from './names.ts';
import { pairMistake, policyMistake } from './zone-restrictions.ts';

const END = '<"self"|"default"|ZONE>';

const HELP: Readonly<Record<string, string>> = {
  zone: 'A zone of interfaces',
  'zone-pair': 'What happens to sessions from one zone to another',
  security: 'For the firewall',
  NAME: 'Name',
  ZONE: 'A zone',
  source: 'The zone of the initiator',
  destination: 'The zone of the responder',
  self: 'The router itself',
  default: 'Interfaces in no zone',
  'service-policy': 'The policy map of layer 3/4 that decides',
  inspect: 'For inspection',
};

/** `zone security` and `zone-pair security` (cisco-ios 1.10). */
export const ZONE_COMMANDS: readonly ConfigCommand[] = [
  {
    modes: ['global'],
    grammar: ['zone security NAME'],
    help: HELP,
    apply: enterZone,
    print: ({ zones }) => (zones.length === 0 ? [] : [...zones.flatMap(zoneLines), '!']),
  },
  { modes: ['global'], grammar: ['no zone security NAME'], help: HELP, apply: removeZone },
  descriptionCommand(['zone'], HELP, (draft, description) => {
    const zone: Zone = { name: draft.mode.subject, ...(description === undefined ? {} : { description }) };
    replaceZone(draft, zone);
  }),
  {
    modes: ['global'],
    grammar: [`zone-pair security NAME source ${END}$sourceZone destination ${END}$destinationZone`],
    help: HELP,
    apply: enterZonePair,
    print: ({ zonePairs }) => (zonePairs.length === 0 ? [] : [...zonePairs.flatMap(zonePairLines), '!']),
  },
  {
    modes: ['global'],
    grammar: [`no zone-pair security NAME [source ${END} destination ${END}]`],
    help: HELP,
    apply: (draft, args) => {
      const zonePairs = draft.configuration.zonePairs.filter((pair) => pair.name !== args.text('NAME'));
      draft.configuration = { ...draft.configuration, zonePairs };
    },
  },
  descriptionCommand(['zone-pair'], HELP, (draft, description) =>
    editPair(draft, (pair) => ({
      ...without(pair, 'description'),
      ...(description === undefined ? {} : { description }),
    })),
  ),
  { modes: ['zone-pair'], grammar: ['service-policy type inspect NAME'], help: HELP, apply: attachPolicy },
  {
    modes: ['zone-pair'],
    grammar: ['no service-policy type inspect [NAME]'],
    help: HELP,
    apply: (draft) => editPair(draft, (pair) => without(pair, 'policy')),
  },
];

/** The keys under which names in a zone-pair are marked for the checks at the end. */
export function pairKey(pairName: string, what: 'source' | 'destination' | 'policy'): string {
  return `zone-pair ${pairName} ${what}`;
}

function enterZone(draft: Draft, args: Arguments): void {
  const name = zoneName(args);
  const mistake = name === 'self' ? SELF_MESSAGE : nameMistake('zone', name, ZONE_NAME_CHARACTERS_MAX);
  if (mistake !== undefined) {
    refuseSection(draft, mistake, args.column('NAME'));
    return;
  }
  const existing = draft.configuration.zones.find((zone) => zone.name === name);
  replaceZone(draft, existing ?? { name });
  draft.mode = { kind: 'zone', subject: name, parent: GLOBAL_MODE };
}

/** A zone-pair takes the two words for what is always there in any case of letters. */
function zoneName(args: Arguments): string {
  const typed = args.text('NAME');
  return RESERVED.includes(typed.toLowerCase()) ? typed.toLowerCase() : typed;
}

const RESERVED: readonly string[] = ['self', 'default'];

/** R14: the router's own zone is always there. */
const SELF_MESSAGE = '%Error: zone self is the router itself, it cannot be created or deleted';

/** A zone in use stays (R13). */
function removeZone(draft: Draft, args: Arguments): void {
  const name = zoneName(args);
  const { zones, interfaces, zonePairs } = draft.configuration;
  const pair = zonePairs.find(({ source, destination }) => source === name || destination === name);
  const column = args.column('NAME');
  if (name === 'self') fail(draft, SELF_MESSAGE, column);
  else if (!zones.some((zone) => zone.name === name)) fail(draft, `% Zone ${name} does not exist`, column);
  else if (interfaces.some(({ zone }) => zone === name)) {
    fail(draft, `% Remove all interfaces from zone ${name} first`, column);
  } else if (pair !== undefined) {
    fail(draft, `%Error: zone ${name} is in use by zone-pair ${pair.name}`, column);
  } else draft.configuration = { ...draft.configuration, zones: zones.filter((zone) => zone.name !== name) };
}

function enterZonePair(draft: Draft, args: Arguments): void {
  const name = args.text('NAME');
  const { zonePairs } = draft.configuration;
  const typed: ZonePair = { name, source: args.text('sourceZone'), destination: args.text('destinationZone') };
  const mistake =
    nameMistake('zone-pair', name, ZONE_PAIR_NAME_CHARACTERS_MAX) ?? pairMistake(draft.configuration, typed);
  if (mistake !== undefined) {
    refuseSection(draft, mistake, args.column('NAME'));
    return;
  }
  markOrigin(draft, pairKey(name, 'source'), args.column('sourceZone'));
  markOrigin(draft, pairKey(name, 'destination'), args.column('destinationZone'));
  if (!zonePairs.some((pair) => pair.name === name)) replacePair(draft, typed);
  draft.mode = { kind: 'zone-pair', subject: name, parent: GLOBAL_MODE };
}

function attachPolicy(draft: Draft, args: Arguments): void {
  const policy = args.text('NAME');
  const pair = draft.configuration.zonePairs.find(({ name }) => name === draft.mode.subject);
  if (pair === undefined) return;
  const mistake = policyMistake(draft.configuration, pair, policy);
  if (mistake !== undefined) {
    fail(draft, mistake, args.column('NAME'));
    return;
  }
  markOrigin(draft, pairKey(pair.name, 'policy'), args.column('NAME'));
  replacePair(draft, { ...pair, policy });
}

function replaceZone(draft: Draft, zone: Zone): void {
  const zones = put(draft.configuration.zones, zone, (other) => other.name === zone.name);
  draft.configuration = { ...draft.configuration, zones };
}

function editPair(draft: Draft, change: (pair: ZonePair) => ZonePair): void {
  const pair = draft.configuration.zonePairs.find(({ name }) => name === draft.mode.subject);
  if (pair !== undefined) replacePair(draft, change(pair));
}

function replacePair(draft: Draft, pair: ZonePair): void {
  const zonePairs = put(draft.configuration.zonePairs, pair, (other) => other.name === pair.name);
  draft.configuration = { ...draft.configuration, zonePairs };
}

function zoneLines({ name, description }: Zone): readonly string[] {
  return [`zone security ${name}`, ...(description === undefined ? [] : [` description ${description}`])];
}

function zonePairLines({ name, source, destination, description, policy }: ZonePair): readonly string[] {
  return [
    `zone-pair security ${name} source ${source} destination ${destination}`,
    ...(description === undefined ? [] : [` description ${description}`]),
    ...(policy === undefined ? [] : [` service-policy type inspect ${policy}`]),
  ];
}
