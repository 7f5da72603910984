import type { PrivateInterface } from '../../kernel/lifecycle';
import { METADATA_ADDRESS } from '../addresses';
import { dhcpAnswer } from './dhcp';
import {
  arpReply,
  arpRequest,
  BROADCAST,
  destinationOf,
  forwarded,
  resetOf,
  udpFrame,
  udpOf,
} from './frames';

/** A machine's interface in a private network. */
export interface Port {
  facts: PrivateInterface;
  /** To the machine. */
  send: (frame: Buffer) => void;
  /** To the metadata service, for a machine that reaches it through this network. */
  uplink?: (frame: Buffer) => void;
}

/** Every packet of a machine goes through the network's gateway, which has this hardware address everywhere. */
const GATEWAY_MAC = 'd2:00:00:00:00:01';

/**
 * One private network as the vendor builds it: machines have no neighbours. All they see is the gateway, which knows
 * where the others are, follows the network's routes and answers DHCP.
 */
export class Router {
  private readonly ports = new Set<Port>();

  constructor(private readonly nextHop: (destination: string) => string | undefined) {}

  plug(port: Port): void {
    this.ports.add(port);
  }

  unplug(port: Port): void {
    this.ports.delete(port);
  }

  /** A frame that a machine sent. */
  fromMachine(port: Port, frame: Buffer): void {
    const request = arpRequest(frame);
    if (request) {
      if (request.target === port.facts.gateway) port.send(arpReply(request, GATEWAY_MAC));
      return;
    }
    if (this.answeredLease(port, frame)) return;
    const destination = destinationOf(frame);
    if (destination === undefined) return;
    if (destination === METADATA_ADDRESS) {
      port.uplink?.(forwarded(frame, BROADCAST, port.facts.macAddress));
      return;
    }
    const target = this.at(destination) ?? this.at(this.nextHop(destination));
    if (target === port) this.endConnection(port, frame);
    else target?.send(forwarded(frame, target.facts.macAddress, GATEWAY_MAC));
  }

  /** A frame that the metadata service's side sent, which knows the machine by its address in this network. */
  fromUplink(port: Port, frame: Buffer): void {
    const request = arpRequest(frame);
    if (request) {
      if (request.target === port.facts.ip) port.uplink?.(arpReply(request, port.facts.macAddress));
    } else if (destinationOf(frame) === port.facts.ip) {
      port.send(forwarded(frame, port.facts.macAddress, GATEWAY_MAC));
    }
  }

  /**
   * What a NAT machine sends on to a machine that is gone would come back to it. A real peer, which nobody answers,
   * finds out within a minute or two; here it talks to the emulator, which goes on answering for ten unless it is told.
   */
  private endConnection(port: Port, frame: Buffer): void {
    const reset = resetOf(frame, { to: port.facts.macAddress, from: GATEWAY_MAC });
    if (reset) port.send(reset);
  }

  private at(address: string | undefined): Port | undefined {
    if (address === undefined) return undefined;
    return [...this.ports].find(({ facts }) => facts.ip === address || facts.aliasIps.includes(address));
  }

  private answeredLease(port: Port, frame: Buffer): boolean {
    const { gateway, ip, macAddress: mac, range } = port.facts;
    const datagram = udpOf(frame);
    if (datagram?.destination.port !== 67) return false;
    const destinations = [range, ...(port.uplink ? [`${METADATA_ADDRESS}/32`] : [])];
    const payload = dhcpAnswer(datagram.payload, { ip, mac, gateway, destinations });
    if (payload)
      port.send(
        udpFrame(
          { to: mac, from: GATEWAY_MAC },
          { source: { ip: gateway, port: 67 }, destination: { ip, port: 68 }, payload },
        ),
      );
    return true;
  }
}
