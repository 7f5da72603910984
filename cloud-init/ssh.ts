import type { Ssh } from './machine';
import { file, type Section } from './section';

/**
 * SSH with keys only and under one host key that is known beforehand.
 *
 * The public half is left to cloud-init, which derives it. `AuthenticationMethods` closes every way but keys,
 * whatever the image's own files say: the first value that sshd reads wins, hence `00-`. Another port needs a
 * step: Ubuntu's sshd is started by a socket that takes its port at a reload, long before our file is there.
 */
export function ssh({ port, authorizedKeys, hostKey }: Ssh): Section {
  const settings = [
    ...(port === 22 ? [] : [`Port ${port}`]),
    'HostKey /etc/ssh/ssh_host_ed25519_key',
    'AuthenticationMethods publickey',
  ];
  return {
    name: 'ssh',
    settings: {
      disable_root: false,
      ssh_keys: { ed25519_private: hostKey.privateKey },
      ...(authorizedKeys.length > 0 && { ssh_authorized_keys: authorizedKeys }),
    },
    files: [file('/etc/ssh/sshd_config.d/00-worker-pools.conf', `${settings.join('\n')}\n`)],
    ...(port !== 22 && { step: usePort }),
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
