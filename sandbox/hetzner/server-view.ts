import { locationNamed, type ServerTypeState } from './catalogue';
import { timestamp, type Cloud } from './cloud';
import { renderImage } from './images';
import { renderGroup } from './placement-groups';
import { defaultDnsPtr } from './primary-ips';
import { renderType } from './server-types';
import { includedTraffic } from './catalogue';
import type { Project, Server } from './state';

/** The type of an existing server; types stay in state after they have ended. */
export function typeOf(cloud: Cloud, server: Server): ServerTypeState {
  const type = cloud.state.catalogue.serverTypes[server.serverType];
  if (!type) throw new Error(`server ${server.id} has the unknown type "${server.serverType}"`);
  return type;
}

/** The server as the API shows it. There is no `datacenter`: the vendor removed it on 2026-07-01. */
export function renderServer(cloud: Cloud, project: Project, server: Server): unknown {
  const group = server.placementGroup === null ? undefined : project.placementGroups[server.placementGroup];
  return {
    id: server.id,
    name: server.name,
    status: server.status,
    created: timestamp(server.created),
    public_net: renderPublicNet(project, server),
    private_net: server.privateNet
      .filter((attachment) => attachment.attached)
      .map((attachment) => ({
        network: attachment.network,
        ip: attachment.ip,
        alias_ips: attachment.aliasIps,
        mac_address: attachment.macAddress,
      })),
    server_type: renderType(cloud, typeOf(cloud, server)),
    location: locationNamed(server.location),
    image: server.image === null ? null : renderImage(server.imageData),
    iso: null,
    rescue_enabled: server.rescueEnabled,
    locked: cloud.actions.locksServer(project, server.id),
    backup_window: server.backupWindow,
    included_traffic: includedTraffic(server.location),
    outgoing_traffic: 0,
    ingoing_traffic: 0,
    protection: server.protection,
    labels: server.labels,
    volumes: server.volumes,
    load_balancers: [],
    primary_disk_size: server.primaryDiskSize,
    placement_group: group ? renderGroup(project, group) : null,
  };
}

function renderPublicNet(project: Project, server: Server): unknown {
  const { ipv4, ipv6 } = server.primaryIps;
  const four = ipv4 === null ? undefined : project.primaryIps[ipv4];
  const six = ipv6 === null ? undefined : project.primaryIps[ipv6];
  return {
    ipv4: four
      ? {
          id: four.id,
          ip: four.ip,
          blocked: false,
          dns_ptr: four.dnsPtr[0]?.dns_ptr ?? defaultDnsPtr(four.ip),
        }
      : null,
    ipv6: six ? { id: six.id, ip: six.ip, blocked: false, dns_ptr: six.dnsPtr } : null,
    floating_ips: [],
    firewalls: server.firewalls,
  };
}
