// Command tfgen writes the plugin's schema and bridge metadata: see docs/toolchain.md.
package main

import (
	"github.com/hcloud-worker-pools/toolchain/hcloud/provider"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
)

func main() {
	tfgen.MainWithMuxer("hcloud", provider.Info())
}
