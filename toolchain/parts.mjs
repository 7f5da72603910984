// What the engine is made of, and which versions. docs/toolchain.md tells where each part comes from.

/** The CLI that is downloaded or built. */
export const cliVersion = '3.259.0';

/** The oldest CLI on PATH that will do: the program's SDK needs it. */
export const oldestCli = '3.200.0';

const versionFlag = (version) =>
  `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;

/**
 * The parts in the order in which they are built: an engine comes first, the plugins that take longest last.
 * `binaries` maps a file name to its Go package; `plugins` names a binary's provider and the npm version it equals;
 * `minutes` is the cold build time on two cores, measured one after the other with a shared build cache.
 */
export const parts = [
  {
    id: 'pulumi',
    what: 'the Pulumi CLI',
    binaries: { pulumi: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi' },
    ldflags: versionFlag(cliVersion),
    minutes: 4.5,
  },
  {
    id: 'language-nodejs',
    what: 'the Node language host',
    binaries: {
      'language-host-nodejs': 'github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs',
    },
    ldflags: versionFlag('3.68.0'),
    minutes: 0.7,
  },
  {
    id: 'language-front',
    what: 'the front of the Node language host',
    binaries: { 'pulumi-language-nodejs': '.' },
    ldflags: '-s -w',
    minutes: 0.1,
  },
  {
    id: 'stand-ins',
    what: 'the Tailscale, Cloudflare and Command plugins',
    binaries: {
      'pulumi-resource-tailscale': './cmd/pulumi-resource-tailscale',
      'pulumi-resource-cloudflare': './cmd/pulumi-resource-cloudflare',
      'pulumi-resource-command': './cmd/pulumi-resource-command',
    },
    plugins: {
      'pulumi-resource-tailscale': { name: 'tailscale', version: '0.29.1' },
      'pulumi-resource-cloudflare': { name: 'cloudflare', version: '6.22.1' },
      'pulumi-resource-command': { name: 'command', version: '1.2.1' },
    },
    ldflags: '-s -w',
    minutes: 0.7,
  },
  {
    id: 'hcloud',
    what: 'the Hetzner Cloud plugin',
    binaries: { 'pulumi-resource-hcloud': './cmd/pulumi-resource-hcloud' },
    plugins: { 'pulumi-resource-hcloud': { name: 'hcloud', version: '1.32.1' } },
    ldflags: '-s -w',
    minutes: 3.3,
  },
];

/**
 * A tailnet: its control server, and the vendor's own client with the files that its package is made of. No part of
 * the engine: built when a real tailnet is asked for. The client's version is the one that headscale's module settles.
 */
export const tailnet = {
  id: 'headscale',
  what: 'headscale, tailscale and tailscaled',
  binaries: {
    headscale: 'github.com/juanfont/headscale/cmd/headscale',
    tailscale: 'tailscale.com/cmd/tailscale',
    tailscaled: 'tailscale.com/cmd/tailscaled',
  },
  files: {
    module: 'tailscale.com',
    paths: [
      'cmd/tailscaled/tailscaled.service',
      'cmd/tailscaled/tailscaled.defaults',
      'release/deb/debian.postinst.sh',
      'release/deb/debian.prerm.sh',
      'release/deb/debian.postrm.sh',
    ],
  },
  ldflags: [
    '-s -w',
    '-X github.com/juanfont/headscale/hscontrol/types.Version=v0.26.1',
    '-X tailscale.com/version.shortStamp=1.83.0',
    '-X tailscale.com/version.longStamp=1.83.0-t96fe8a6db',
  ].join(' '),
  minutes: 2,
};
