import assert from 'node:assert/strict';
import { osOf, supportedImages, workerDocument } from '../../cloud-init';
import { certificates } from '../../cloud-init/certificates';
import { docker } from '../../cloud-init/docker';
import { hostName } from '../../cloud-init/host-name';
import { packages } from '../../cloud-init/packages';
import { file, quote, type Section } from '../../cloud-init/section';
import { ssh } from '../../cloud-init/ssh';
import { tailscale } from '../../cloud-init/tailscale';
import { traefik } from '../../cloud-init/containers';
import { bare, os, ssh as access, tailscale as tailnet, worker } from './machines';

const sshFile = '/etc/ssh/sshd_config.d/00-worker-pools.conf';
const sshText = 'HostKey /etc/ssh/ssh_host_ed25519_key\nAuthenticationMethods publickey\n';
const keyFile = { path: '/run/worker-pools.key', permissions: '0600' as const, content: tailnet.authKey };
const joins = (flags: string): string => `said=/run/worker-pools.tailscale
for pause in 5 10 15 20 0; do
  timeout 90 tailscale up --auth-key=file:/run/worker-pools.key --timeout=60s ${flags} >$said 2>&1 && break
  cat $said
  if [ $pause = 0 ] || grep -q 'backend error' $said; then exit 1; fi
  sleep $pause
done
rm /run/worker-pools.key
`;

const rows: { name: string; section: Section; expected: Section }[] = [
  {
    name: 'host name',
    section: hostName({ hostname: 'staging-ci-000a' }),
    expected: { name: 'host name', settings: { hostname: 'staging-ci-000a', manage_etc_hosts: 'localhost' } },
  },
  {
    name: 'certificates',
    section: certificates(['PEM']),
    expected: { name: 'certificates', settings: { ca_certs: { trusted: ['PEM'] } } },
  },
  {
    name: 'SSH on its usual port',
    section: ssh(access),
    expected: {
      name: 'ssh',
      settings: {
        disable_root: false,
        ssh_keys: { ed25519_private: access.hostKey.privateKey },
        ssh_authorized_keys: access.authorizedKeys,
      },
      files: [{ path: sshFile, content: sshText }],
    },
  },
  {
    name: 'Docker on Debian 12',
    section: docker({ os: os('debian-12') }),
    expected: {
      name: 'docker',
      packages: ['apparmor', 'docker.io'],
      files: [{ path: '/etc/docker/daemon.json', content: '{"log-driver":"local"}\n' }],
    },
  },
  {
    name: 'Docker with a mirror of its registry',
    section: docker({ os: os('debian-12'), registryMirrors: ['https://mirror.gcr.io'] }),
    expected: {
      name: 'docker',
      packages: ['apparmor', 'docker.io'],
      files: [
        {
          path: '/etc/docker/daemon.json',
          content: '{"log-driver":"local","registry-mirrors":["https://mirror.gcr.io"]}\n',
        },
      ],
    },
  },
  {
    name: 'Tailscale from the vendor',
    section: tailscale(tailnet, 'staging-ci-000a', os('ubuntu-24.04')),
    expected: {
      name: 'tailscale',
      files: [keyFile],
      packages: ['tailscale'],
      repository: { name: 'tailscale', url: 'https://pkgs.tailscale.com/stable/ubuntu', suite: 'noble' },
      step: joins('--hostname=staging-ci-000a --advertise-tags=tag:worker,tag:staging'),
    },
  },
  {
    name: "Tailscale from one's own repository and control server",
    section: tailscale(
      { ...tailnet, tags: [], packages: 'http://10.0.0.2/ts/', loginServer: 'https://hs.example.com' },
      'h',
      os('debian-13'),
    ),
    expected: {
      name: 'tailscale',
      files: [keyFile],
      packages: ['tailscale'],
      repository: { name: 'tailscale', url: 'http://10.0.0.2/ts/debian', suite: 'trixie' },
      step: joins('--hostname=h --login-server=https://hs.example.com'),
    },
  },
  {
    name: 'packages',
    section: packages([
      { name: 'a', packages: ['nftables', 'curl'] },
      {
        name: 'b',
        packages: ['curl'],
        repository: { name: 'r', url: 'https://r.example.com/debian', suite: 'bookworm' },
      },
    ]),
    expected: {
      name: 'packages',
      step: `try 60 /usr/lib/apt/apt-helper download-file https://r.example.com/debian/bookworm.noarmor.gpg /usr/share/keyrings/r.gpg
echo "deb [signed-by=/usr/share/keyrings/r.gpg] https://r.example.com/debian bookworm main" >/etc/apt/sources.list.d/r.list
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
try 300 apt-get -qo APT::Update::Error-Mode=any -o Acquire::Languages=none update
try 600 apt-get -qyo DPkg::Lock::Timeout=300 --no-install-recommends install curl nftables
`,
    },
  },
  {
    name: 'Traefik',
    section: traefik({ image: 'traefik:v3.6.13' }),
    expected: {
      name: 'traefik',
      files: [
        {
          path: '/usr/local/lib/worker-pools/traefik',
          permissions: '0700',
          content:
            '#!/bin/sh\ndocker rm -f traefik >/dev/null 2>&1\nexec docker run --rm --name traefik --log-driver none ' +
            '-p 80:80 -p 443:443 -v /var/run/docker.sock:/var/run/docker.sock:ro traefik:v3.6.13 ' +
            '--providers.docker=true --providers.docker.exposedbydefault=false --entrypoints.web.address=:80 ' +
            '--entrypoints.websecure.address=:443 --entrypoints.websecure.http.tls=true\n',
        },
        {
          path: '/etc/systemd/system/worker-pools@traefik.service.d/stop.conf',
          content:
            "[Service]\nExecStop=docker stop -t 10 %i\nExecStopPost=sh -c 'echo $EXIT_STATUS >>/run/worker-pools.%i'\n" +
            'TimeoutStopSec=20\n',
        },
      ],
      step: `try 900 docker pull -q traefik:v3.6.13
systemctl -q enable --now worker-pools@traefik
e=/run/worker-pools.traefik i=0
: >>$e
until [ $i = 2 ] || grep -qx 0 $e; do
  [ "$(wc -l <$e)" -lt 3 ] || {
    journalctl -qo cat -n 10 _SYSTEMD_UNIT=worker-pools@traefik.service
    exit 1
  }
  docker ps -qf name=^traefik$ | grep -q . && i=$((i + 1)) || i=0
  sleep 1
done
`,
    },
  },
];

describe('the concerns of a machine', () => {
  for (const { name, section, expected } of rows)
    it(`${name}: adds exactly this`, () => assert.deepEqual(section, expected));

  it('SSH on another port makes the running service take it', () => {
    const { files, step } = ssh({ ...access, port: 2222, authorizedKeys: [] });
    assert.deepEqual(files, [{ path: sshFile, content: `Port 2222\n${sshText}` }]);
    assert.match(step ?? '', /daemon-reload[^]*restart ssh\.socket[^]*try-restart ssh\.service/);
  });

  it('Docker on Debian 13 brings its client, which is a package of its own there', () => {
    assert.deepEqual(docker({ os: os('debian-13') }).packages, ['apparmor', 'docker.io', 'docker-cli']);
  });

  const dockerUsers = [
    { name: 'asked for', machine: { ...bare, docker: true }, there: true },
    { name: 'for Traefik', machine: { ...bare, traefik: { image: 't:1' } }, there: true },
    {
      name: 'for a workload',
      machine: { ...bare, workload: { container: { image: 'w:1', env: {} } } },
      there: true,
    },
    { name: 'else not', machine: bare, there: false },
  ];
  for (const { name, machine, there } of dockerUsers)
    it(`Docker is there: ${name}`, () => {
      const names = workerDocument(machine).sections.map((section) => section.name);
      assert.equal(names.includes('docker'), there);
    });

  it('come in this order on a worker', () => {
    assert.deepEqual(
      workerDocument(worker).sections.map((section) => section.name),
      [
        'report',
        'clock',
        'jobs',
        'host name',
        'ssh',
        'runtime',
        'packages',
        'docker',
        'firewall',
        'tailscale',
        'heartbeat',
      ],
    );
  });
});

describe('images', () => {
  it('have a known system, or none', () => {
    assert.deepEqual(
      supportedImages.map((image) => [image, osOf(image)?.distribution, osOf(image)?.suite]),
      [
        ['debian-11', 'debian', 'bullseye'],
        ['debian-12', 'debian', 'bookworm'],
        ['debian-13', 'debian', 'trixie'],
        ['ubuntu-22.04', 'ubuntu', 'jammy'],
        ['ubuntu-24.04', 'ubuntu', 'noble'],
        ['ubuntu-26.04', 'ubuntu', 'resolute'],
      ],
    );
    for (const image of ['fedora-42', 'debian', 'toString', '']) assert.equal(osOf(image), undefined);
  });
});

describe('text that readers could alter', () => {
  it('travels as base64', () => {
    assert.deepEqual(file('/a', 'plain\n'), { path: '/a', content: 'plain\n' });
    assert.deepEqual(file('/a', 'é\u0007', '0600'), {
      path: '/a',
      permissions: '0600',
      content: 'w6kH',
      encoding: 'b64',
    });
  });

  it('is quoted for the shell only where needed', () => {
    assert.equal(quote('a-b_c.d/e:f=g,h@i+1%'), 'a-b_c.d/e:f=g,h@i+1%');
    assert.equal(quote(''), "''");
    assert.equal(quote("it's $HOME"), "'it'\\''s $HOME'");
  });
});
