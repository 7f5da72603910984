package tailscale

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"tailscale.com/client/tailscale/v2"
)

// lookInterval is upstream's: a device that is waited for is looked for once a second.
const lookInterval = time.Second

type deviceResult struct {
	ID                        string   `json:"id"`
	Addresses                 []string `json:"addresses"`
	Authorized                bool     `json:"authorized"`
	BlocksIncomingConnections bool     `json:"blocksIncomingConnections"`
	ClientVersion             string   `json:"clientVersion"`
	Created                   string   `json:"created"`
	Expires                   string   `json:"expires"`
	Hostname                  string   `json:"hostname"`
	IsExternal                bool     `json:"isExternal"`
	KeyExpiryDisabled         bool     `json:"keyExpiryDisabled"`
	LastSeen                  string   `json:"lastSeen"`
	MachineKey                string   `json:"machineKey"`
	Name                      string   `json:"name"`
	NodeID                    string   `json:"nodeId"`
	NodeKey                   string   `json:"nodeKey"`
	OS                        string   `json:"os"`
	Tags                      []string `json:"tags"`
	TailnetLockError          string   `json:"tailnetLockError"`
	TailnetLockKey            string   `json:"tailnetLockKey"`
	UpdateAvailable           bool     `json:"updateAvailable"`
	User                      string   `json:"user"`
}

func (c *connection) getDevice(ctx context.Context, args property.Map) (property.Map, error) {
	var wanted struct {
		Name     string `json:"name"`
		Hostname string `json:"hostname"`
		WaitFor  string `json:"waitFor"`
	}
	if err := plugin.Decode(args, &wanted); err != nil {
		return property.Map{}, err
	}
	if (wanted.Name == "") == (wanted.Hostname == "") {
		return property.Map{}, errors.New("getDevice takes exactly one of name and hostname")
	}
	var patience time.Duration
	if wanted.WaitFor != "" {
		var err error
		if patience, err = time.ParseDuration(wanted.WaitFor); err != nil {
			return property.Map{}, fmt.Errorf("waitFor %q is not a duration such as 60s", wanted.WaitFor)
		}
	}
	for deadline := time.Now().Add(patience); ; {
		devices, err := c.list(ctx)
		if err != nil {
			return property.Map{}, err
		}
		for _, device := range devices {
			if device.Name == wanted.Name || (wanted.Name == "" && device.Hostname == wanted.Hostname) {
				result, err := plugin.Encode(resultOf(device))
				return merged(args, result), err
			}
		}
		if !time.Now().Add(lookInterval).Before(deadline) {
			return property.Map{}, fmt.Errorf("no device called %q is in the tailnet", wanted.Name+wanted.Hostname)
		}
		select {
		case <-time.After(lookInterval):
		case <-ctx.Done():
			return property.Map{}, ctx.Err()
		}
	}
}

func (c *connection) getDevices(ctx context.Context, args property.Map) (property.Map, error) {
	var wanted struct {
		NamePrefix string `json:"namePrefix"`
		Filters    []struct {
			Name   string   `json:"name"`
			Values []string `json:"values"`
		} `json:"filters"`
	}
	if err := plugin.Decode(args, &wanted); err != nil {
		return property.Map{}, err
	}
	var options []tailscale.ListDevicesOptions
	for _, filter := range wanted.Filters {
		options = append(options, tailscale.WithFilter(filter.Name, filter.Values))
	}
	devices, err := c.list(ctx, options...)
	if err != nil {
		return property.Map{}, err
	}
	found := []deviceResult{}
	for _, device := range devices {
		if strings.HasPrefix(device.Name, wanted.NamePrefix) {
			found = append(found, resultOf(device))
		}
	}
	result, err := plugin.Encode(map[string]any{"id": "devices", "devices": found})
	return merged(args, result), err
}

func (c *connection) list(ctx context.Context, options ...tailscale.ListDevicesOptions) ([]tailscale.Device, error) {
	devices, err := c.client.Devices().List(ctx, options...)
	if err != nil {
		return nil, explain("list the tailnet's devices", err)
	}
	return devices, nil
}

func resultOf(device tailscale.Device) deviceResult {
	lastSeen := ""
	if device.LastSeen != nil {
		lastSeen = device.LastSeen.Format(time.RFC3339)
	}
	return deviceResult{
		ID:                        device.ID,
		Addresses:                 append([]string{}, device.Addresses...),
		Authorized:                device.Authorized,
		BlocksIncomingConnections: device.BlocksIncomingConnections,
		ClientVersion:             device.ClientVersion,
		Created:                   device.Created.Format(time.RFC3339),
		Expires:                   device.Expires.Format(time.RFC3339),
		Hostname:                  device.Hostname,
		IsExternal:                device.IsExternal,
		KeyExpiryDisabled:         device.KeyExpiryDisabled,
		LastSeen:                  lastSeen,
		MachineKey:                device.MachineKey,
		Name:                      device.Name,
		NodeID:                    device.NodeID,
		NodeKey:                   device.NodeKey,
		OS:                        device.OS,
		Tags:                      append([]string{}, device.Tags...),
		TailnetLockError:          device.TailnetLockError,
		TailnetLockKey:            device.TailnetLockKey,
		UpdateAvailable:           device.UpdateAvailable,
		User:                      device.User,
	}
}

// merged echoes the arguments in the result, as functions of bridged providers do.
func merged(args, result property.Map) property.Map {
	for name, value := range result.All {
		args = args.Set(name, value)
	}
	return args
}

// explain adds what Tailscale says about single fields, which its error text leaves out.
func explain(action string, err error) error {
	text := fmt.Sprintf("failed to %s: %v", action, err)
	for _, data := range tailscale.ErrorData(err) {
		text += fmt.Sprintf("\n  %s %s", data.User, strings.Join(data.Errors, "; "))
	}
	return errors.New(text)
}
