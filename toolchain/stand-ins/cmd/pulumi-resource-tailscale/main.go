// Command pulumi-resource-tailscale is a stand-in for Pulumi's Tailscale plugin: see docs/toolchain.md.
package main

import "github.com/hcloud-worker-pools/toolchain/stand-ins/tailscale"

func main() { tailscale.Package().Serve() }
