// Package tailscale stands in for Pulumi's Tailscale plugin: the same tokens, inputs and outputs for what worker
// pools use, over Tailscale's own client.
package tailscale

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"tailscale.com/client/tailscale/v2"
)

// Package is the plugin. Version is that of the npm package whose tokens and properties it answers to.
func Package() plugin.Package {
	var connected connection
	return plugin.Package{
		Name:    "tailscale",
		Version: "0.29.1",
		Config: []plugin.Input{
			{Name: "apiKey", Secret: true},
			{Name: "oauthClientId"},
			{Name: "oauthClientSecret", Secret: true},
			{Name: "scopes", JSON: true},
			{Name: "tailnet"},
			{Name: "baseUrl"},
			{Name: "userAgent"},
		},
		Configure: connected.configure,
		Resources: map[string]plugin.Resource{
			"tailscale:index/tailnetKey:TailnetKey": tailnetKey(&connected),
		},
		Functions: map[string]func(context.Context, property.Map) (property.Map, error){
			"tailscale:index/getDevice:getDevice":   connected.getDevice,
			"tailscale:index/getDevices:getDevices": connected.getDevices,
		},
	}
}

// connection holds the client that the configuration describes.
type connection struct {
	client *tailscale.Client
}

type config struct {
	APIKey            string   `json:"apiKey"`
	OAuthClientID     string   `json:"oauthClientId"`
	OAuthClientSecret string   `json:"oauthClientSecret"`
	Scopes            []string `json:"scopes"`
	Tailnet           string   `json:"tailnet"`
	BaseURL           string   `json:"baseUrl"`
	UserAgent         string   `json:"userAgent"`
}

func (c *connection) configure(_ context.Context, properties property.Map) error {
	var settings config
	if err := plugin.Decode(properties, &settings); err != nil {
		return err
	}
	for _, setting := range []struct {
		value    *string
		variable string
	}{
		{&settings.APIKey, "TAILSCALE_API_KEY"},
		{&settings.OAuthClientID, "TAILSCALE_OAUTH_CLIENT_ID"},
		{&settings.OAuthClientSecret, "TAILSCALE_OAUTH_CLIENT_SECRET"},
		{&settings.Tailnet, "TAILSCALE_TAILNET"},
		{&settings.BaseURL, "TAILSCALE_BASE_URL"},
	} {
		if *setting.value == "" {
			*setting.value = os.Getenv(setting.variable)
		}
		// As upstream since 0.29: a value may name a file that holds it.
		if path, isFile := strings.CutPrefix(*setting.value, "file:"); isFile {
			content, err := os.ReadFile(path)
			if err != nil {
				return fmt.Errorf("cannot read the value of %s: %w", setting.variable, err)
			}
			*setting.value = strings.TrimSpace(string(content))
		}
	}
	client, err := settings.client()
	c.client = client
	return err
}

func (settings config) client() (*tailscale.Client, error) {
	client := &tailscale.Client{Tailnet: settings.Tailnet, UserAgent: settings.UserAgent, APIKey: settings.APIKey}
	switch oauth := settings.OAuthClientID != "" || settings.OAuthClientSecret != ""; {
	case settings.APIKey != "" && oauth:
		return nil, errors.New("tailscale provider credentials are conflicting: give apiKey or an OAuth client, not both")
	case settings.APIKey == "" && !oauth:
		return nil, errors.New("tailscale provider credentials are empty: set tailscale:apiKey (TAILSCALE_API_KEY), " +
			"or tailscale:oauthClientId and oauthClientSecret (TAILSCALE_OAUTH_CLIENT_ID, TAILSCALE_OAUTH_CLIENT_SECRET)")
	case oauth && (settings.OAuthClientID == "" || settings.OAuthClientSecret == ""):
		return nil, errors.New("tailscale provider argument 'oauthClientSecret' and 'oauthClientId' are both needed")
	case oauth:
		client.Auth = &tailscale.OAuth{
			ClientID:     settings.OAuthClientID,
			ClientSecret: settings.OAuthClientSecret,
			Scopes:       settings.Scopes,
		}
	}
	if settings.BaseURL != "" {
		parsed, err := url.Parse(strings.TrimRight(settings.BaseURL, "/"))
		if err != nil || parsed.Host == "" {
			return nil, fmt.Errorf("tailscale:baseUrl %q is not a URL", settings.BaseURL)
		}
		client.BaseURL = parsed
	}
	return client, nil
}
