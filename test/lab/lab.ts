import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  addNamespace,
  type Namespace,
  removeNamespace,
  removeNamespaceNow,
  removeStaleNamespaces,
} from './namespaces.ts';

/**
 * client (outside) --- router (outside0 | inside0) --- server (inside): the smallest network a firewall can stand in.
 * The server has an address for each of the programs that want the same port.
 */
export const ADDRESSES = {
  client: { v4: '10.80.1.2', v6: 'fd80:1::2' },
  routerOutside: { v4: '10.80.1.1', v6: 'fd80:1::1' },
  routerInside: { v4: '10.80.2.1', v6: 'fd80:2::1' },
  server: { v4: '10.80.2.2', v6: 'fd80:2::2' },
  exim: { v4: '10.80.2.3', v6: 'fd80:2::3' },
  courier: { v4: '10.80.2.4', v6: 'fd80:2::4' },
  sink: { v4: '10.80.2.5', v6: 'fd80:2::5' },
} as const;

export const MAIL_PORTS = [25, 110, 143, 587] as const;

export interface LabOptions {
  /** Segmentation and checksum offloads of the veth pairs; on is what veth does by itself. */
  readonly offloads?: boolean;
  /** The client reaches the server by the router's outside address, and the server sees the router's inside address. */
  readonly nat?: boolean;
}

export interface Lab {
  readonly client: Namespace;
  readonly router: Namespace;
  readonly server: Namespace;
  /** Temporary, readable by the servers' own users; goes with the lab. */
  readonly folder: string;
  /** What the client connects to for the server: the router's address under NAT. */
  readonly target: { readonly v4: string; readonly v6: string };
  close(): Promise<void>;
}

let labsMade = 0;
const openLabs = new Set<{ names: readonly string[]; folder: string }>();

function removeOpenLabs(): void {
  for (const lab of openLabs) {
    for (const name of lab.names) removeNamespaceNow(name);
    rmSync(lab.folder, { recursive: true, force: true });
  }
  openLabs.clear();
}

function removeLabsAtExit(): void {
  process.once('exit', removeOpenLabs);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      removeOpenLabs();
      process.exit(1);
    });
  }
}

/** Leaves every open lab standing when the process ends (`npm run demo -- --keep`). */
export function keepOpenLabs(): void {
  openLabs.clear();
}

async function connect(left: [Namespace, string], right: [Namespace, string]): Promise<void> {
  const [leftSpace, leftName] = left;
  const [rightSpace, rightName] = right;
  const peer = ['peer', 'name', rightName, 'netns', rightSpace.name];
  await leftSpace.must(['ip', 'link', 'add', leftName, 'type', 'veth', ...peer]);
  await leftSpace.must(['ip', 'link', 'set', leftName, 'up']);
  await rightSpace.must(['ip', 'link', 'set', rightName, 'up']);
}

async function address(space: Namespace, device: string, of: { v4: string; v6: string }): Promise<void> {
  await space.must(['ip', 'address', 'add', `${of.v4}/24`, 'dev', device]);
  // Without duplicate address detection the address is usable at once.
  await space.must(['ip', '-6', 'address', 'add', `${of.v6}/64`, 'dev', device, 'nodad']);
}

async function defaultRoute(space: Namespace, via: { v4: string; v6: string }): Promise<void> {
  await space.must(['ip', 'route', 'add', 'default', 'via', via.v4]);
  await space.must(['ip', '-6', 'route', 'add', 'default', 'via', via.v6]);
}

async function switchOffloadsOff(ends: readonly (readonly [Namespace, string])[]): Promise<void> {
  const off = ['gro', 'gso', 'tso', 'tx', 'rx'].flatMap((feature) => [feature, 'off']);
  for (const [space, device] of ends) await space.must(['ethtool', '-K', device, ...off]);
}

async function translate(router: Namespace): Promise<void> {
  const outside = ADDRESSES.routerOutside;
  for (const [program, mine, to] of [
    ['iptables', outside.v4, ADDRESSES.server.v4],
    ['ip6tables', outside.v6, `[${ADDRESSES.server.v6}]`],
  ] as const) {
    const nat = [program, '-w', '-t', 'nat', '-A'];
    const ports = ['-p', 'tcp', '-m', 'multiport', '--dports', MAIL_PORTS.join(',')];
    await router.must([...nat, 'PREROUTING', '-i', 'outside0', '-d', mine, ...ports, '-j', 'DNAT', '--to', to]);
    await router.must([...nat, 'POSTROUTING', '-o', 'inside0', '-j', 'MASQUERADE']);
  }
}

async function wire(spaces: Pick<Lab, 'client' | 'router' | 'server'>, options: LabOptions): Promise<void> {
  const { client, router, server } = spaces;
  await connect([client, 'eth0'], [router, 'outside0']);
  await connect([server, 'eth0'], [router, 'inside0']);
  if (options.offloads === false) {
    await switchOffloadsOff([
      [client, 'eth0'],
      [router, 'outside0'],
      [router, 'inside0'],
      [server, 'eth0'],
    ]);
  }
  await address(client, 'eth0', ADDRESSES.client);
  await address(router, 'outside0', ADDRESSES.routerOutside);
  await address(router, 'inside0', ADDRESSES.routerInside);
  for (const own of ['server', 'exim', 'courier', 'sink'] as const) await address(server, 'eth0', ADDRESSES[own]);
  await defaultRoute(client, ADDRESSES.routerOutside);
  await defaultRoute(server, ADDRESSES.routerInside);
  await router.must(['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
  // Load runs use up the default range of client ports within a minute of TIME_WAIT.
  await client.must(['sysctl', '-qw', 'net.ipv4.ip_local_port_range=1024 65535', 'net.ipv4.tcp_tw_reuse=1']);
  if (options.nat === true) await translate(router);
}

/** Builds the network and answers when both ends can talk. Always close it; a signal to this process does so too. */
export async function createLab(options: LabOptions = {}): Promise<Lab> {
  if (process.getuid?.() !== 0) throw new Error('the lab makes network namespaces: run it as root');
  removeStaleNamespaces();
  if (labsMade++ === 0) removeLabsAtExit();
  const names = ['client', 'router', 'server'].map((role) => `postern-${process.pid}-${labsMade}-${role}`);
  const folder = mkdtempSync(join(tmpdir(), 'postern-lab-'));
  chmodSync(folder, 0o755);
  const entry = { names, folder };
  openLabs.add(entry);
  const close = async () => {
    for (const name of names) await removeNamespace(name);
    rmSync(folder, { recursive: true, force: true });
    openLabs.delete(entry);
  };
  try {
    const [client, router, server] = (await Promise.all(names.map(addNamespace))) as [Namespace, Namespace, Namespace];
    await wire({ client, router, server }, options);
    const target = options.nat === true ? ADDRESSES.routerOutside : ADDRESSES.server;
    return { client, router, server, folder, target, close };
  } catch (error) {
    await close();
    throw error;
  }
}
