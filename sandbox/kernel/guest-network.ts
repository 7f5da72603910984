/**
 * Address under which a machine that is a real guest (`--machines qemu`) reaches what listens on the loopback
 * interface of its host.
 *
 * Not link-local, although the network that guests share with their host holds the vendor's metadata address as
 * well: a NAT machine forwards nothing that is, and workers behind it need their host, too.
 */
export const HOST_ADDRESS = '169.255.0.2';
