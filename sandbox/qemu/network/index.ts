import { join } from 'node:path';
import type { NetworkView, PrivateInterface } from '../../kernel/lifecycle';
import { type Link, openLink } from './link';
import { type Port, Router } from './router';

/** A guest's cables to its private networks. */
export interface PluggedIn {
  networks: PrivateInterface[];
  interfaces: { mac: string; path: string }[];
  /** Where there is no other way to the metadata service. */
  metadataLink: string | undefined;
  unplug(): Promise<void>;
}

/** The private networks of all guests. */
export class PrivateNetworks {
  private readonly routers = new Map<number, Router>();

  constructor(private readonly view: () => NetworkView) {}

  /**
   * Lays the cables of one guest, as sockets in its folder.
   * @param withMetadata whether the first one also leads to the metadata service
   */
  async plug(serverId: number, folder: string, withMetadata: boolean): Promise<PluggedIn> {
    const networks = this.view().privateInterfaces(serverId);
    const links: Link[] = [];
    const undo: (() => void)[] = [];
    const interfaces: PluggedIn['interfaces'] = [];
    let metadataLink: string | undefined;
    for (const [index, facts] of networks.entries()) {
      const router = this.routerOf(facts.networkId);
      const path = join(folder, `private${index}.sock`);
      const link = await openLink(path, (frame) => router.fromMachine(port, frame));
      const port: Port = { facts, send: (frame) => link.send(frame) };
      links.push(link);
      if (withMetadata && index === 0) {
        const uplink = await openLink(join(folder, 'metadata.sock'), (frame) =>
          router.fromUplink(port, frame),
        );
        port.uplink = (frame) => uplink.send(frame);
        metadataLink = uplink.path;
        links.push(uplink);
      }
      router.plug(port);
      undo.push(() => router.unplug(port));
      interfaces.push({ mac: facts.macAddress, path });
    }
    return {
      networks,
      interfaces,
      metadataLink,
      unplug: async () => {
        for (const step of undo) step();
        await Promise.all(links.map((link) => link.close()));
      },
    };
  }

  private routerOf(networkId: number): Router {
    const found = this.routers.get(networkId);
    if (found) return found;
    const router = new Router((destination) => this.view().nextHop(networkId, destination));
    this.routers.set(networkId, router);
    return router;
  }
}
