import type { Addon } from '../native/addon.ts';
import type { Configuration } from '../policy/configuration.ts';
import type { PortProtocol } from '../policy/ports.ts';
import { dialogueFor, type StartDialogue } from './dialogues.ts';
import { type FlowPlace, type Selection, selectInspection } from './selection.ts';
import type { WorkerSettings } from './worker-protocol.ts';

/** Protocols times pairs of interfaces that are remembered; a router with more of them works some out again. */
const PLACES_MAX = 4_096;

/** What every session of a protocol between two interfaces has in common: one object for all of them. */
export interface Place extends Selection {
  readonly start: StartDialogue | undefined;
  /** The access list that the answers of such a session would meet, and pass as answers (cisco-ios 3.1). */
  readonly returnList: string | undefined;
}

/** Where a flow runs, by interface indexes as the packet loop tells them. */
export interface IndexedPlace {
  readonly protocol: PortProtocol;
  readonly inInterface: number;
  readonly outInterface: number;
}

/** What a flow's protocol and interfaces lead to: the same for every flow, so it is worked out once a place. */
export class Places {
  readonly #addon: Pick<Addon, 'interfaceName'>;
  readonly #settings: WorkerSettings;
  readonly #interfaces = new Map<number, string>();
  readonly #places = new Map<string, Place | undefined>();

  constructor(addon: Pick<Addon, 'interfaceName'>, settings: WorkerSettings) {
    this.#addon = addon;
    this.#settings = settings;
  }

  /** Undefined: no rule inspects such flows. */
  at({ protocol, inInterface, outInterface }: IndexedPlace): Place | undefined {
    const key = `${protocol} ${inInterface} ${outInterface}`;
    if (this.#places.has(key)) return this.#places.get(key);
    if (this.#places.size >= PLACES_MAX) this.#places.clear();
    const place = this.#workOut(protocol, {
      inInterface: this.interfaceName(inInterface),
      outInterface: this.interfaceName(outInterface),
    });
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

  #workOut(protocol: PortProtocol, names: FlowPlace): Place | undefined {
    const { configuration, hostname } = this.#settings;
    const selection = selectInspection(configuration, protocol, names);
    if (selection === undefined) return undefined;
    return {
      ...selection,
      start: dialogueFor(selection.protocol, selection.inspection, hostname),
      returnList: returnList(configuration, names),
    };
  }
}

/** Answers come in where the session goes out, and go out where it came in: the first list they would meet there. */
function returnList(configuration: Configuration, { inInterface, outInterface }: FlowPlace): string | undefined {
  const named = (name: string) => configuration.interfaces.find((candidate) => candidate.name === name);
  const any = named('any');
  const inbound = outInterface === '' ? undefined : (named(outInterface)?.accessGroupIn ?? any?.accessGroupIn);
  const outbound = inInterface === '' ? undefined : (named(inInterface)?.accessGroupOut ?? any?.accessGroupOut);
  return inbound ?? outbound;
}
