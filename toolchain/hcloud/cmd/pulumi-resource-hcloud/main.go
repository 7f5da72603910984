// Command pulumi-resource-hcloud is the resource plugin for Hetzner Cloud: Hetzner's own Terraform provider
// behind Pulumi's own Terraform bridge.
package main

import (
	"context"

	"github.com/hcloud-worker-pools/toolchain/hcloud/provider"
	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
)

func main() {
	pfbridge.MainWithMuxer(context.Background(), "hcloud", provider.Info(), provider.Schema())
}
