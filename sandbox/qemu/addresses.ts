import { HOST_ADDRESS } from '../kernel/guest-network';

/** Where the vendor's metadata service answers. */
export const METADATA_ADDRESS = '169.254.169.254';

/**
 * What a guest shares with its host: one network that holds the metadata service's address, which QEMU wants among
 * its own, and the host's.
 */
export const hostNetwork = {
  range: '169.254.0.0/15',
  host: HOST_ADDRESS,
  resolver: '169.255.0.3',
  guest: '169.255.10.10',
};
