// Package provider describes Hetzner's own Terraform provider to Pulumi's Terraform bridge.
//
// The result answers to the type tokens and property names of the npm package @pulumi/hcloud of Version:
// that package was generated from the same release of Hetzner's provider.
package provider

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"io"

	"github.com/hetznercloud/terraform-provider-hcloud/hcloud"
	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
)

// Version is the release of the npm package that this plugin equals.
const Version = "1.32.1"

// What cmd/tfgen derives from Hetzner's provider, compressed (generate.sh writes both). The plugin does not start
// without the metadata: it tells which half of the provider (SDKv2 or plugin framework) serves which token.
var (
	//go:embed bridge-metadata.json.gz
	bridgeMetadata []byte
	//go:embed schema.json.gz
	schema []byte
)

// Info is everything the bridge has to know about the provider.
func Info() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:            pfbridge.MuxShimWithPF(context.Background(), shimv2.NewProvider(hcloud.Provider()), hcloud.NewPluginProvider()),
		Name:         "hcloud",
		Version:      Version,
		License:      "Apache-2.0",
		GitHubOrg:    "hetznercloud",
		MetadataInfo: tfbridge.NewProviderMetadata(unzip(bridgeMetadata)),
		// The plugin framework half numbers its objects; Pulumi ids are strings.
		Resources: map[string]*tfbridge.ResourceInfo{
			"hcloud_storage_box":            numbered(),
			"hcloud_storage_box_snapshot":   numbered(),
			"hcloud_storage_box_subaccount": numbered(),
			"hcloud_zone":                   numbered(),
		},
	}
	info.MustComputeTokens(tokens.SingleModule("hcloud_", "index", tokens.MakeStandard("hcloud")))
	info.MustApplyAutoAliases()
	info.SetAutonaming(255, "-")
	return info
}

// numbered maps a resource whose Terraform id is a number onto Pulumi's string ids.
func numbered() *tfbridge.ResourceInfo {
	return &tfbridge.ResourceInfo{Fields: map[string]*tfbridge.SchemaInfo{"id": {Type: "string"}}}
}

// Schema is the Pulumi schema of the package, without its documentation texts.
func Schema() []byte { return unzip(schema) }

// unzip panics on what it cannot read: the input is part of the binary.
func unzip(compressed []byte) []byte {
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		panic(err)
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		panic(err)
	}
	return content
}
