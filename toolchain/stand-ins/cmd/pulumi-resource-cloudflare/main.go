// Command pulumi-resource-cloudflare is a stand-in for Pulumi's Cloudflare plugin: see docs/toolchain.md.
package main

import "github.com/hcloud-worker-pools/toolchain/stand-ins/cloudflare"

func main() { cloudflare.Package().Serve() }
