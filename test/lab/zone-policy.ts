/** Configurations with an application policy where it belongs: under a zone-pair from the lab's client to its servers. */
export interface ZonedOptions {
  /** The application part, `policy-map type inspect smtp APP` (or pop3, imap) in it; none: layer 4 only. */
  readonly application?: string;
  readonly protocol?: 'smtp' | 'pop3' | 'imap';
  /** The application policy's name. */
  readonly policy?: string;
  /** Further global lines. */
  readonly globals?: readonly string[];
}

/** Every connection of the protocol from outside is inspected, with audit trail; everything else is dropped. */
export function zoned({ application = '', protocol = 'smtp', policy, globals = [] }: ZonedOptions = {}): string {
  return [
    'hostname guard',
    ...globals,
    application,
    'parameter-map type inspect PARAMS',
    ' audit-trail on',
    'class-map type inspect match-any MAIL',
    ` match protocol ${protocol}`,
    'policy-map type inspect EDGE',
    ' class type inspect MAIL',
    '  inspect PARAMS',
    ...(policy === undefined ? [] : [`  service-policy ${protocol} ${policy}`]),
    ' class class-default',
    '  drop log',
    ...betweenZones('EDGE'),
    '',
  ].join('\n');
}

/** The zone-pair from the lab's client to its servers, with this policy. */
export function betweenZones(policy: string): readonly string[] {
  return [
    'zone security outside',
    'zone security dmz',
    'zone-pair security OUT-DMZ source outside destination dmz',
    ` service-policy type inspect ${policy}`,
    ...membersOf('outside', 'dmz'),
  ];
}

/** The zones of the router's two interfaces. */
export function membersOf(client: string, server: string): readonly string[] {
  return [
    'interface outside0',
    ` zone-member security ${client}`,
    'interface inside0',
    ` zone-member security ${server}`,
  ];
}
