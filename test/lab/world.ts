import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificate, makeCertificate } from './certificate.ts';
import { type Courier, startCourier } from './courier.ts';
import { type Dovecot, startDovecot } from './dovecot.ts';
import { type Exim, startExim } from './exim.ts';
import { ADDRESSES, createLab, type Lab, type LabOptions } from './lab.ts';
import { type Postern, startPostern } from './postern.ts';
import { type Postfix, startPostfix } from './postfix.ts';

export interface WorldOptions extends LabOptions {
  /** Postern's configuration; without it the router forwards and nothing else. */
  readonly configuration?: string;
  readonly exim?: boolean;
  readonly courier?: boolean;
  /** Of the user at Courier, where it is not the one that all servers know. */
  readonly courierPassword?: string;
  /** The server's Postfix logs each command it reads, and its Exim what it has an ACL for. */
  readonly logDialogues?: boolean;
  /** A Postfix in the client namespace that relays to the server. */
  readonly sendingQueue?: boolean;
  /** Lets tests break a worker (`debug postern crash-worker 1`). */
  readonly hooks?: boolean;
}

/** A lab with its servers running, and Postern between them and the client. */
export interface World {
  readonly lab: Lab;
  readonly certificate: Certificate;
  readonly postfix: Postfix;
  readonly dovecot: Dovecot;
  readonly exim: Exim | undefined;
  readonly courier: Courier | undefined;
  readonly queue: Postfix | undefined;
  readonly postern: Postern | undefined;
  /** A fresh folder below the lab's. */
  folder(name: string): string;
  close(): Promise<void>;
}

/** Postern of a world that has one. */
export function posternOf(world: World): Postern {
  if (world.postern === undefined) throw new Error('this world was made without Postern');
  return world.postern;
}

async function startServers(lab: Lab, options: WorldOptions, folder: World['folder']) {
  const certificate = await makeCertificate(lab.folder);
  const own = Object.values(ADDRESSES.server);
  const { server: namespace } = lab;
  const dovecot = await startDovecot({ namespace, folder: folder('dovecot'), addresses: own, certificate });
  const postfix = await startPostfix({
    namespace,
    folder: folder('postfix'),
    addresses: own,
    hostname: 'server.lab.example',
    certificate,
    saslSocket: dovecot.saslSocket,
    logDialogues: options.logDialogues === true,
  });
  const { courierPassword: password } = options;
  const asked = password === undefined ? {} : { password };
  const courierOptions = { namespace, folder: folder('courier'), address: ADDRESSES.courier.v4, certificate, ...asked };
  const eximOptions = { namespace, folder: folder('exim'), addresses: Object.values(ADDRESSES.exim) };
  return {
    certificate,
    dovecot,
    postfix,
    exim: options.exim && (await startExim({ ...eximOptions, logDialogues: options.logDialogues === true })),
    courier: options.courier && (await startCourier(courierOptions)),
  };
}

async function startSendingQueue(lab: Lab, folder: string): Promise<Postfix> {
  return await startPostfix({
    namespace: lab.client,
    folder,
    addresses: ['127.0.0.1'],
    hostname: 'client.lab.example',
    relayHost: `[${lab.target.v4}]:25`,
  });
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const lab = await createLab(options);
  const folder = (name: string) => {
    const path = join(lab.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  try {
    const servers = await startServers(lab, options, folder);
    const queue = options.sendingQueue === true ? await startSendingQueue(lab, folder('queue')) : undefined;
    const { configuration } = options;
    const env = options.hooks === true ? { POSTERN_TEST_HOOKS: '1' } : {};
    const router = { router: lab.router, folder: folder('postern'), env };
    const postern = configuration === undefined ? undefined : await startPostern({ ...router, configuration });
    return {
      lab,
      ...servers,
      exim: servers.exim || undefined,
      courier: servers.courier || undefined,
      queue,
      postern,
      folder,
      async close() {
        // First, so that it says goodbye while its rules can still be removed.
        await postern?.stop();
        await lab.close();
      },
    };
  } catch (error) {
    await lab.close();
    throw error;
  }
}
