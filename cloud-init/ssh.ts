import type { Machine } from './machine';
import { file, type Section } from './section';

/** Host name. The name also resolves locally, which sudo and others expect. */
export function hostName({ hostname }: Pick<Machine, 'hostname'>): Section {
  return { name: 'host name', settings: { hostname, manage_etc_hosts: 'localhost' } };
}

/**
 * SSH with keys only, for root only, under a host key known beforehand.
 *
 * The public half is left to cloud-init, which derives it. `AuthenticationMethods` closes every way but keys,
 * whatever the image's own files say, and the first value that sshd reads wins, hence `00-`. Another port needs a
 * step: Ubuntu's sshd is started by a socket whose port is read at a reload, before our file is there.
 */
export function ssh({ ssh: { port, authorizedKeys, hostKey } }: Pick<Machine, 'ssh'>): Section {
  const otherPort = port !== 22;
  return {
    name: 'ssh',
    settings: {
      disable_root: false,
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: hostKey.privateKey },
      ...(authorizedKeys.length > 0 && { ssh_authorized_keys: authorizedKeys }),
    },
    files: [
      file(
        '/etc/ssh/sshd_config.d/00-worker-pools.conf',
        '0644',
        `${otherPort ? `Port ${port}\n` : ''}HostKey /etc/ssh/ssh_host_ed25519_key\nAuthenticationMethods publickey\n`,
      ),
    ],
    ...(otherPort && { step: usePort }),
  };
}

const usePort = `systemctl daemon-reload
if systemctl -q is-active ssh.socket; then
  systemctl stop ssh.service
  systemctl restart ssh.socket
else
  systemctl try-restart ssh.service
fi
`;

/** Private certificate authorities, trusted before anything is fetched. */
export function trust({ trustedCertificates: trusted = [] }: Pick<Machine, 'trustedCertificates'>): Section {
  return { name: 'certificates', ...(trusted.length > 0 && { settings: { ca_certs: { trusted } } }) };
}
