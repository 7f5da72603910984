// Package cloudflare stands in for Pulumi's Cloudflare plugin: the same tokens, inputs and outputs for what worker
// pools use, over Cloudflare's own client.
package cloudflare

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"

	"github.com/cloudflare/cloudflare-go/v4/dns"
	"github.com/cloudflare/cloudflare-go/v4/option"
	"github.com/cloudflare/cloudflare-go/v4/zones"
	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugin"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// tokenForm is what upstream accepts as an API token.
var tokenForm = regexp.MustCompile(`^[0-9A-Za-z_-]{40,80}$`)

// Package is the plugin. Version is that of the npm package whose tokens and properties it answers to.
func Package() plugin.Package {
	var connected connection
	return plugin.Package{
		Name:    "cloudflare",
		Version: "6.22.1",
		Config: []plugin.Input{
			{Name: "apiToken", Secret: true},
			{Name: "baseUrl"},
			{Name: "userAgentOperatorSuffix"},
		},
		CheckConfig: func(config property.Map) []p.CheckFailure {
			if token := config.Get("apiToken"); token.IsString() && !tokenForm.MatchString(token.AsString()) {
				return []p.CheckFailure{{
					Property: "apiToken",
					Reason:   "API tokens must be between 40 and 80 characters and only contain characters a-z, A-Z, 0-9, hyphens and underscores",
				}}
			}
			return nil
		},
		Configure: connected.configure,
		Resources: map[string]plugin.Resource{
			"cloudflare:index/dnsRecord:DnsRecord": dnsRecord(&connected),
		},
		Functions: map[string]func(context.Context, property.Map) (property.Map, error){
			"cloudflare:index/getZone:getZone": connected.getZone,
		},
	}
}

// connection holds the two services of the client that are used here. (The client as a whole would compile, and put
// into the plugin, all of Cloudflare's API.)
type connection struct {
	records *dns.RecordService
	zones   *zones.ZoneService
}

func (c *connection) configure(_ context.Context, properties property.Map) error {
	var settings struct {
		APIToken  string `json:"apiToken"`
		BaseURL   string `json:"baseUrl"`
		UserAgent string `json:"userAgentOperatorSuffix"`
	}
	if err := plugin.Decode(properties, &settings); err != nil {
		return err
	}
	if settings.APIToken == "" {
		settings.APIToken = os.Getenv("CLOUDFLARE_API_TOKEN")
	}
	if settings.BaseURL == "" {
		settings.BaseURL = os.Getenv("CLOUDFLARE_BASE_URL")
	}
	if settings.APIToken == "" {
		return errors.New("no Cloudflare credentials: set cloudflare:apiToken or CLOUDFLARE_API_TOKEN")
	}
	options := []option.RequestOption{
		option.WithEnvironmentProduction(),
		option.WithAPIToken(settings.APIToken),
		option.WithHeader("User-Agent", "pulumi-cloudflare-stand-in "+settings.UserAgent),
	}
	if settings.BaseURL != "" {
		options = append(options, option.WithBaseURL(settings.BaseURL))
	}
	c.records, c.zones = dns.NewRecordService(options...), zones.NewZoneService(options...)
	return nil
}

// outcome keeps the response of a call, so that its status can be asked for: the client's error type is internal.
type outcome struct{ response *http.Response }

func (o *outcome) keep() option.RequestOption { return option.WithResponseInto(&o.response) }

func (o *outcome) notFound() bool {
	return o.response != nil && o.response.StatusCode == http.StatusNotFound
}

func failed(action string, err error) error { return fmt.Errorf("failed to %s: %w", action, err) }
