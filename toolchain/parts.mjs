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
