import type { Reason } from '../inspect/reasons.ts';
import type { Addon } from '../native/addon.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { EffectiveInspection } from '../policy/defaults.ts';
import { isTransport } from '../policy/openings.ts';
import { isTlsPort, type PortProtocol } from '../policy/ports.ts';
import type { ZonePlace } from '../policy/zone-decision.ts';
import type { Applications, ContentPlanUse } from './application.ts';
import { dialogueFor, type StartDialogue, startTls } from './dialogues.ts';
import type { OpenedFlow } from './opening.ts';
import { type FlowPlace, type Selection, selectInspection } from './selection.ts';
import type { WorkerSettings } from './worker-protocol.ts';
import { asInspection, type InspectedByZone, type RefusedByZone, ZoneDecisions, zoneCountName } from './zone-places.ts';

/** Protocols times pairs of interfaces that are remembered; a router with more of them works some out again. */
const PLACES_MAX = 4_096;

/** What every session of a protocol between two interfaces has in common: one object for all of them. */
export interface Place extends Selection {
  /** Where a zone policy inspects or refuses: the rule is empty then. */
  readonly zonePlace?: ZonePlace;
  /** The application policy of its class. */
  readonly application?: string;
  /** What its sessions are counted as for `sessions maximum`: the rule, or the zone-pair's class. */
  readonly countedAs: string;
  readonly start: StartDialogue | undefined;
  readonly content?: ContentPlanUse | undefined;
  /** Its sessions are ended at once, and told of packet by packet where `logged`. */
  readonly refused?: { readonly reason: Reason; readonly logged: boolean };
  /** The access list that the answers of such a session would meet, and pass as answers (cisco-ios 3.1). */
  readonly returnList: string | undefined;
}

/** What a flow's protocol and interfaces lead to: mostly the same for every flow, so it is worked out once a place. */
export class Places {
  readonly #addon: Pick<Addon, 'interfaceName'>;
  readonly #settings: WorkerSettings;
  readonly #applications: Applications;
  readonly #zones: ZoneDecisions;
  readonly #interfaces = new Map<number, string>();
  readonly #places = new Map<string, Place | undefined>();
  /** Of zone policies, by what was decided. */
  readonly #zonePlaces = new Map<string, Place>();

  constructor(addon: Pick<Addon, 'interfaceName'>, settings: WorkerSettings, applications: Applications) {
    this.#addon = addon;
    this.#settings = settings;
    this.#applications = applications;
    this.#zones = new ZoneDecisions(settings.configuration, settings.captureWithoutInterfaces ?? false);
  }

  /** Undefined: nothing inspects such flows. */
  at(flow: OpenedFlow): Place | undefined {
    if (this.#zones.dependOnAddresses) return this.#workOut(flow);
    const key = this.#keyOf(flow);
    if (this.#places.has(key)) return this.#places.get(key);
    if (this.#places.size >= PLACES_MAX) this.#places.clear();
    const place = this.#workOut(flow);
    this.#places.set(key, place);
    return place;
  }

  /** Empty for the router itself, and for an interface that is gone. */
  interfaceName(index: number): string {
    if (index === 0) return '';
    const known = this.#interfaces.get(index);
    if (known !== undefined) return known;
    if (this.#interfaces.size >= PLACES_MAX) this.#interfaces.clear();
    const name = this.#addon.interfaceName(index) ?? '';
    this.#interfaces.set(index, name);
    return name;
  }

  /** Zones also ask for the ports of protocols that have no engine here. */
  #keyOf(flow: OpenedFlow): string {
    const port = this.#zones.exist && isTransport(flow.protocol) ? flow.responder.port : 0;
    return `${flow.protocol} ${flow.inInterface} ${flow.outInterface} ${port}`;
  }

  #workOut(flow: OpenedFlow): Place | undefined {
    const names = {
      inInterface: this.interfaceName(flow.inInterface),
      outInterface: this.interfaceName(flow.outInterface),
    };
    const verdict = this.#zones.decide(flow, names);
    switch (verdict.kind) {
      case 'unzoned':
        return this.#byRule(flow.protocol, names);
      case 'pass':
        return undefined;
      case 'drop':
      case 'inspect':
        return this.#byZone(flow, verdict, names);
    }
  }

  #byRule(protocol: PortProtocol, names: FlowPlace): Place | undefined {
    const { configuration, hostname } = this.#settings;
    const selection = selectInspection(configuration, protocol, names);
    if (selection === undefined) return undefined;
    const { rule, inspection } = selection;
    const chunking = configuration.postern.chunking === 'inspect' ? 'allow' : 'mask';
    return {
      ...selection,
      countedAs: rule,
      start: dialogueFor(selection.protocol, inspection, { hostname, chunking }),
      returnList: returnList(configuration, names),
    };
  }

  /** One object for all flows that are decided alike, whatever their addresses. */
  #byZone(flow: OpenedFlow, verdict: InspectedByZone | RefusedByZone, names: FlowPlace): Place {
    const { zonePair = '', className = '' } = verdict.place ?? {};
    const decided = [verdict.kind, verdict.kind === 'drop' ? verdict.reason : verdict.protocol, zonePair, className];
    const key = [...decided, flow.protocol, flow.inInterface, flow.outInterface].join(' ');
    const known = this.#zonePlaces.get(key);
    if (known !== undefined) return known;
    if (this.#zonePlaces.size >= PLACES_MAX) this.#zonePlaces.clear();
    const place = verdict.kind === 'drop' ? refusedPlace(flow.protocol, verdict) : this.#inspected(verdict, names);
    this.#zonePlaces.set(key, place);
    return place;
  }

  #inspected(verdict: InspectedByZone, names: FlowPlace): Place {
    const { place, protocol, application } = verdict;
    const inspection = asInspection(protocol, verdict.settings);
    const script =
      application === undefined ? undefined : this.#applications.scriptOf(application, protocol, inspection);
    if (script === 'unusable') {
      const refused = refusedPlace(protocol, { reason: 'engine-error', place, log: false });
      return { ...refused, inspection: { ...inspection, auditTrail: false } };
    }
    return {
      rule: '',
      protocol,
      zonePlace: place,
      countedAs: zoneCountName(place),
      inspection,
      start: isTlsPort(protocol) ? startTls : script?.start,
      content: script?.content,
      returnList: returnList(this.#settings.configuration, names),
      ...(application === undefined ? {} : { application }),
    };
  }
}

interface Refused extends Pick<RefusedByZone, 'place' | 'log'> {
  readonly reason: Reason;
}

/** Silent but for what `drop log` asks for: no alert, no audit trail (cisco-ios 3.10). */
const UNTOLD: Omit<EffectiveInspection, 'protocol'> = {
  alert: false,
  auditTrail: false,
  timeoutSeconds: 0,
  maxDataBytes: 0,
  reset: false,
  secureLogin: false,
  routerTraffic: false,
  lineEndings: 'normalize',
  requireTls: 'never',
};

function refusedPlace(protocol: PortProtocol, { reason, place, log }: Refused): Place {
  return {
    rule: '',
    protocol,
    countedAs: '',
    inspection: { ...UNTOLD, protocol },
    start: undefined,
    refused: { reason, logged: log },
    returnList: undefined,
    ...(place === undefined ? {} : { zonePlace: place }),
  };
}

/** Answers come in where the session goes out, and go out where it came in: the first list they would meet there. */
function returnList(configuration: Configuration, { inInterface, outInterface }: FlowPlace): string | undefined {
  const named = (name: string) => configuration.interfaces.find((candidate) => candidate.name === name);
  const any = named('any');
  const inbound = outInterface === '' ? undefined : (named(outInterface)?.accessGroupIn ?? any?.accessGroupIn);
  const outbound = inInterface === '' ? undefined : (named(inInterface)?.accessGroupOut ?? any?.accessGroupOut);
  return inbound ?? outbound;
}
