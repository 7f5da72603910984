/**
 * Address under which a machine that is a real guest (`--machines qemu`) reaches what listens on the loopback
 * interface of its host. It lies in the guest's own network, which is link-local so that the vendor's metadata
 * address belongs to it, too; only the ports of the sandbox's services are open there by their own choice.
 */
export const HOST_ADDRESS = '169.254.0.2';
