package tailscale

import (
	"context"
	"time"

	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugin"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"tailscale.com/client/tailscale/v2"
)

const defaultExpiry = 90 * 24 * 60 * 60

func tailnetKey(connected *connection) plugin.Resource {
	return plugin.Resource{
		Inputs: []plugin.Input{
			{Name: "description", Replace: true, Default: ""},
			{Name: "ephemeral", Replace: true, Default: false},
			{Name: "expiry", Replace: true, Default: defaultExpiry},
			{Name: "preauthorized", Replace: true, Default: false},
			{Name: "recreateIfInvalid", Default: ""},
			{Name: "reusable", Replace: true, Default: false},
			{Name: "tags", Replace: true, Set: true, Default: []any{}},
			{Name: "userId"},
		},
		Computed: []string{"createdAt", "expiresAt", "invalid", "key", "userId"},
		Check:    checkRecreate,
		Diff:     replaceInvalid,
		Create:   connected.createKey,
		Read:     connected.readKey,
		Update: func(ctx context.Context, id string, state, _ property.Map) (property.Map, error) {
			outputs, _, err := connected.readKey(ctx, id, state)
			// Only recreateIfInvalid and userId can change in place, and neither is known to the API.
			return outputs.Delete("recreateIfInvalid"), err
		},
		Delete: connected.deleteKey,
	}
}

// keyState is what the resource keeps. The API shows the key itself only once, when it is created.
type keyState struct {
	Description       string   `json:"description"`
	Ephemeral         bool     `json:"ephemeral"`
	Expiry            int64    `json:"expiry"`
	Preauthorized     bool     `json:"preauthorized"`
	RecreateIfInvalid string   `json:"recreateIfInvalid"`
	Reusable          bool     `json:"reusable"`
	Tags              []string `json:"tags"`
	UserID            string   `json:"userId"`
	CreatedAt         string   `json:"createdAt"`
	ExpiresAt         string   `json:"expiresAt"`
	Invalid           bool     `json:"invalid"`
	Key               string   `json:"key"`
}

func checkRecreate(inputs property.Map) []p.CheckFailure {
	value := inputs.Get("recreateIfInvalid")
	if !value.IsString() {
		return nil
	}
	switch value.AsString() {
	case "", "always", "never":
		return nil
	}
	return []p.CheckFailure{{Property: "recreateIfInvalid", Reason: `must be "", "always" or "never"`}}
}

// replaceInvalid makes a new key of one that no longer works: reusable keys by default, single-use ones only when
// told to, since using a single-use key is what makes it invalid.
func replaceInvalid(state, inputs property.Map, changes *p.DiffResponse) {
	var old, wanted keyState
	if plugin.Decode(state, &old) != nil || plugin.Decode(inputs, &wanted) != nil || !old.Invalid {
		return
	}
	if wanted.RecreateIfInvalid == "always" || (wanted.RecreateIfInvalid == "" && wanted.Reusable) {
		changes.HasChanges = true
		changes.DetailedDiff["invalid"] = p.PropertyDiff{Kind: p.UpdateReplace}
	}
}

func (c *connection) createKey(ctx context.Context, inputs property.Map) (string, property.Map, error) {
	wanted := keyState{Expiry: defaultExpiry}
	if err := plugin.Decode(inputs, &wanted); err != nil {
		return "", property.Map{}, err
	}
	request := tailscale.CreateKeyRequest{ExpirySeconds: wanted.Expiry, Description: wanted.Description}
	create := &request.Capabilities.Devices.Create
	create.Reusable, create.Ephemeral, create.Preauthorized = wanted.Reusable, wanted.Ephemeral, wanted.Preauthorized
	create.Tags = append([]string{}, wanted.Tags...)
	key, err := c.client.Keys().CreateAuthKey(ctx, request)
	if err != nil {
		return "", property.Map{}, explain("create the tailnet key", err)
	}
	state := stateOf(key, wanted)
	state.Key = key.Key
	outputs, err := encodeKey(state)
	return key.ID, outputs, err
}

// readKey leaves a key that is gone in the state, as invalid: whether it is made again is for the diff to say.
func (c *connection) readKey(ctx context.Context, id string, properties property.Map) (property.Map, bool, error) {
	var old keyState
	if err := plugin.Decode(properties, &old); err != nil {
		return property.Map{}, false, err
	}
	key, err := c.client.Keys().Get(ctx, id)
	if tailscale.IsNotFound(err) {
		if old.CreatedAt == "" {
			return property.Map{}, false, nil
		}
		old.Invalid = true
		outputs, err := encodeKey(old)
		return outputs, true, err
	}
	if err != nil {
		return property.Map{}, false, explain("read the tailnet key "+id, err)
	}
	outputs, err := encodeKey(stateOf(key, old))
	return outputs, true, err
}

func (c *connection) deleteKey(ctx context.Context, id string, _ property.Map) error {
	err := c.client.Keys().Delete(ctx, id)
	if err == nil || tailscale.IsNotFound(err) {
		return nil
	}
	return explain("delete the tailnet key "+id, err)
}

func stateOf(key *tailscale.Key, old keyState) keyState {
	create := key.Capabilities.Devices.Create
	state := keyState{
		Description:       key.Description,
		Ephemeral:         create.Ephemeral,
		Expiry:            old.Expiry,
		Preauthorized:     create.Preauthorized,
		RecreateIfInvalid: old.RecreateIfInvalid,
		Reusable:          create.Reusable,
		Tags:              append([]string{}, create.Tags...),
		UserID:            key.UserID,
		CreatedAt:         key.Created.Format(time.RFC3339),
		ExpiresAt:         key.Expires.Format(time.RFC3339),
		Invalid:           key.Invalid,
		Key:               old.Key,
	}
	if key.ExpirySeconds != nil {
		// The client declares a duration, but the number counts seconds.
		state.Expiry = int64(*key.ExpirySeconds)
	}
	return state
}

func encodeKey(state keyState) (property.Map, error) {
	outputs, err := plugin.Encode(state)
	return outputs.Set("key", property.New(state.Key).WithSecret(true)), err
}
