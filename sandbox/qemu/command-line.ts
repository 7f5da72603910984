import type { ImageFiles } from '../image';
import type { Accelerator } from './accelerator';
import { hostNetwork, METADATA_ADDRESS } from './addresses';
import type { GuestSettings } from './settings';

/** What one guest is started with. */
export interface GuestPlan {
  serverId: number;
  image: ImageFiles;
  /** Its own disk, on top of the image's. */
  disk: string;
  accelerator: Accelerator;
  settings: Pick<GuestSettings, 'processors' | 'memoryMegabytes'>;
  /** Seconds that its clock is wrong at the start. */
  clockOffset: number;
  /** Port of its metadata service on the host's loopback interface. */
  metadataPort: number;
  /** Present unless it has private networks only. */
  publicInterface: { mac: string; address: string | undefined; ports: readonly number[] } | undefined;
  /** Sockets of its private networks' cables. */
  privateInterfaces: readonly { mac: string; path: string }[];
  /** Socket of the cable that leads from a private network to its metadata service. */
  metadataLink: string | undefined;
  console: string;
}

/**
 * What a translated guest sees. Wide vectors and virtualisation would only be more to translate and to set up, and AMD's
 * processors need no page tables of the kernel's own (Meltdown). QEMU 7.2 translates `cmpxchg16b` so that Debian 13's kernel
 * panics: guests do without it.
 */
const PLAIN_PROCESSOR = 'Opteron_G3,-cx16,-svm';
/** The kernel guards against others on its processor, of whom a translated guest has none; that costs time. */
const PLAIN_KERNEL = 'mitigations=off';

/** The arguments of QEMU. */
export function commandLine(plan: GuestPlan, now: number): string[] {
  const { accelerator, settings, image } = plan;
  const kernel = ['root=/dev/vda rw console=ttyS0 net.ifnames=0 edd=off'];
  if (accelerator === 'tcg') kernel.push(PLAIN_KERNEL);
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none'],
    ...(accelerator === 'kvm'
      ? ['-accel', 'kvm', '-cpu', 'host']
      : ['-accel', 'tcg,thread=multi', '-cpu', PLAIN_PROCESSOR]),
    ...['-smp', String(settings.processors), '-m', String(settings.memoryMegabytes)],
    ...['-smbios', `type=1,manufacturer=Hetzner,product=vServer,serial=${plan.serverId}`],
    ...['-kernel', image.kernel, '-initrd', image.initrd],
    ...['-append', kernel.join(' ')],
    ...['-drive', `file=${plan.disk},if=virtio,format=qcow2,cache=unsafe,discard=unmap`],
    ...['-device', 'virtio-rng-pci'],
    ...['-rtc', plan.clockOffset === 0 ? 'base=utc' : `base=${rtcTime(now + plan.clockOffset * 1000)}`],
    ...['-chardev', `file,id=console,path=${plan.console},append=on`, '-serial', 'chardev:console'],
    ...publicNetwork(plan),
    ...plan.privateInterfaces.flatMap(({ mac, path }, index) => [
      ...['-netdev', `stream,id=private${index},server=off,addr.type=unix,addr.path=${path}`],
      ...['-device', `virtio-net-pci,netdev=private${index},mac=${mac}`],
    ]),
    ...metadataLink(plan),
  ];
}

function publicNetwork({ publicInterface, metadataPort }: GuestPlan): string[] {
  if (!publicInterface) return [];
  const { mac, address, ports } = publicInterface;
  const forwards =
    address === undefined ? [] : ports.map((port) => `hostfwd=tcp:${address}:${port}-:${port}`);
  return [
    '-netdev',
    ['user', 'id=public', ...hostSide(metadataPort), ...forwards].join(','),
    '-device',
    `virtio-net-pci,netdev=public,mac=${mac}`,
  ];
}

/** No interface of the guest: a private network's router passes on what is meant for the metadata service. */
function metadataLink({ metadataLink: path, metadataPort }: GuestPlan): string[] {
  if (path === undefined) return [];
  return [
    ...['-netdev', ['user', 'id=metadata', 'restrict=on', ...hostSide(metadataPort)].join(',')],
    ...['-netdev', `stream,id=link,server=off,addr.type=unix,addr.path=${path}`],
    ...[
      '-netdev',
      'hubport,id=hub0,hubid=0,netdev=metadata',
      '-netdev',
      'hubport,id=hub1,hubid=0,netdev=link',
    ],
  ];
}

const hostSide = (metadataPort: number): string[] => [
  `net=${hostNetwork.range}`,
  `host=${hostNetwork.host}`,
  `dns=${hostNetwork.resolver}`,
  `dhcpstart=${hostNetwork.guest}`,
  'ipv6=off',
  `guestfwd=tcp:${METADATA_ADDRESS}:80-cmd:${relayTo(metadataPort)}`,
];

/** A process for each connection: QEMU's own way to a port is one connection for all, gone for good when it ends. */
const relayTo = (port: number): string =>
  `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port} 4<&0; cat <&4 >&3 & exec cat <&3'`;

/** As QEMU reads it: UTC, without a zone. */
const rtcTime = (at: number): string => new Date(at).toISOString().slice(0, 19);
