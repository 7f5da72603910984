/** What an image is made of. Its text is what the image is cached by, so everything that shapes it stands here. */
export interface Recipe {
  /** Code name of the Debian release. */
  suite: string;
  /** What debootstrap installs. */
  base: readonly string[];
  /** What apt installs after that: packages whose dependencies debootstrap cannot resolve. */
  packages: readonly string[];
  /** Shell, run as root inside the new system. */
  setUp: string;
  megabytes: number;
}

const base = [
  'linux-image-cloud-amd64',
  'systemd-sysv',
  'dbus',
  'udev',
  'openssh-server',
  'systemd-timesyncd',
  'ifupdown',
  'iproute2',
  'iputils-ping',
  'netbase',
  'ca-certificates',
  'curl',
  'gnupg',
  'sudo',
  'cron',
  'procps',
  'less',
];

const packages = ['cloud-init', 'locales', 'libpam-systemd', 'unattended-upgrades', 'qemu-guest-agent'];

/**
 * Private networks get their address by DHCP from the vendor's own package, which is in no archive: this unit stands
 * in for it. A machine that has only private networks gets the first one's from cloud-init, as there.
 */
const privateNetworks = `cat >/etc/udev/rules.d/90-private-network.rules <<'END'
SUBSYSTEM=="net", ACTION=="add", ATTR{address}=="86:*", TAG+="systemd", ENV{SYSTEMD_WANTS}+="private-network@%k.service"
END
cat >/etc/systemd/system/private-network@.service <<'END'
[Unit]
After=cloud-init-local.service networking.service
[Service]
ExecCondition=/bin/sh -c '[ %i != eth0 ]'
ExecStart=/sbin/dhclient -4 -d -pf /run/dhclient.%i.pid -lf /var/lib/dhcp/dhclient.%i.leases %i
Restart=on-failure
END
`;

const likeTheVendor = `cat >/etc/cloud/cloud.cfg.d/90-vendor.cfg <<'END'
datasource_list: [ Hetzner, None ]
disable_root: false
apt:
  preserve_sources_list: true
END
echo 'en_US.UTF-8 UTF-8' >/etc/locale.gen
locale-gen >/dev/null
echo LANG=en_US.UTF-8 >/etc/default/locale
passwd -l root >/dev/null
rm -f /etc/ssh/ssh_host_* /etc/machine-id /var/lib/dbus/machine-id /etc/hostname
: >/etc/machine-id
echo '/dev/vda / ext4 discard,errors=remount-ro 0 1' >/etc/fstab
apt-get clean
rm -rf /var/lib/apt/lists/*
`;

/** Images by the vendor's name for them. */
export const recipes: Readonly<Record<string, Recipe>> = {
  'debian-12': {
    suite: 'bookworm',
    base: [...base, 'isc-dhcp-client'],
    packages,
    setUp: privateNetworks + likeTheVendor,
    megabytes: 4096,
  },
  'debian-13': {
    suite: 'trixie',
    // Debian 12's least system still has resize2fs.
    base: [...base, 'isc-dhcp-client', 'e2fsprogs'],
    packages,
    setUp: privateNetworks + likeTheVendor,
    megabytes: 4096,
  },
};
