package cloudflare

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/cloudflare/cloudflare-go/v4/dns"
	"github.com/cloudflare/cloudflare-go/v4/option"
	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugin"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// inputNames are the inputs that are also fields of the API's record, in the SDK's spelling.
var inputNames = []string{
	"comment", "content", "data", "name", "priority", "privateRouting", "proxied", "settings", "tags", "ttl", "type",
}

// outputNames are the fields that only the API knows.
var outputNames = []string{"commentModifiedOn", "createdOn", "meta", "modifiedOn", "proxiable", "tagsModifiedOn"}

func dnsRecord(connected *connection) plugin.Resource {
	return plugin.Resource{
		Inputs: []plugin.Input{
			{Name: "comment", Default: ""},
			{Name: "content"},
			{Name: "data"},
			{Name: "includeShadowMetadata"},
			{Name: "name", Required: true},
			{Name: "priority"},
			{Name: "privateRouting"},
			{Name: "proxied", Default: false},
			{Name: "settings"},
			{Name: "tags", Set: true, Default: []any{}},
			{Name: "ttl", Required: true},
			{Name: "type", Required: true, Replace: true},
			{Name: "zoneId", Required: true, Replace: true},
		},
		Computed: outputNames,
		Volatile: []string{"commentModifiedOn", "meta", "modifiedOn", "proxiable", "tagsModifiedOn"},
		Create:   connected.createRecord,
		Read:     connected.readRecord,
		Update:   connected.updateRecord,
		Delete:   connected.deleteRecord,
	}
}

func (c *connection) createRecord(ctx context.Context, inputs property.Map) (string, property.Map, error) {
	body, err := bodyOf(inputs)
	if err != nil {
		return "", property.Map{}, err
	}
	var params dns.RecordNewParams
	params.ZoneID.Value, params.ZoneID.Present = inputs.Get("zoneId").AsString(), true
	record, err := c.records.New(ctx, params, option.WithRequestBody("application/json", body))
	if err != nil {
		return "", property.Map{}, failed("create the DNS record "+inputs.Get("name").AsString(), err)
	}
	outputs, err := stateOf(record.JSON.RawJSON(), inputs)
	return record.ID, outputs, err
}

func (c *connection) readRecord(ctx context.Context, id string, state property.Map) (property.Map, bool, error) {
	var params dns.RecordGetParams
	// An import has nothing but its id, ZONE/RECORD as upstream wants it.
	if zone, _, both := strings.Cut(id, "/"); both {
		state = state.Set("zoneId", property.New(zone))
	}
	if !state.Get("zoneId").IsString() {
		return property.Map{}, false, errors.New("a DNS record is imported as <zone id>/<record id>")
	}
	params.ZoneID.Value, params.ZoneID.Present = state.Get("zoneId").AsString(), true
	var call outcome
	record, err := c.records.Get(ctx, recordID(id), params, call.keep())
	if call.notFound() {
		p.GetLogger(ctx).Warning("the DNS record is gone and is removed from the state")
		return property.Map{}, false, nil
	}
	if err != nil {
		return property.Map{}, false, failed("read the DNS record "+id, err)
	}
	outputs, err := stateOf(record.JSON.RawJSON(), state)
	return outputs, true, err
}

func (c *connection) updateRecord(ctx context.Context, id string, _, inputs property.Map) (property.Map, error) {
	body, err := bodyOf(inputs)
	if err != nil {
		return property.Map{}, err
	}
	var params dns.RecordUpdateParams
	params.ZoneID.Value, params.ZoneID.Present = inputs.Get("zoneId").AsString(), true
	record, err := c.records.Update(ctx, recordID(id), params, option.WithRequestBody("application/json", body))
	if err != nil {
		return property.Map{}, failed("update the DNS record "+inputs.Get("name").AsString(), err)
	}
	return stateOf(record.JSON.RawJSON(), inputs)
}

// deleteRecord fails when the record is gone already, as upstream does.
func (c *connection) deleteRecord(ctx context.Context, id string, state property.Map) error {
	var params dns.RecordDeleteParams
	params.ZoneID.Value, params.ZoneID.Present = state.Get("zoneId").AsString(), true
	if _, err := c.records.Delete(ctx, recordID(id), params); err != nil {
		return failed("delete the DNS record "+id, err)
	}
	return nil
}

// recordID is the API's id, without the zone that the id of an imported record starts with.
func recordID(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// bodyOf is the whole record, for POST and PUT alike.
func bodyOf(inputs property.Map) ([]byte, error) {
	var fields map[string]any
	if err := plugin.Decode(inputs, &fields); err != nil {
		return nil, err
	}
	if fields["proxied"] == true && fields["ttl"] != 1.0 {
		return nil, errors.New("ttl must be set to 1 when `proxied` is true")
	}
	body := map[string]any{}
	for _, name := range inputNames {
		if value := fields[name]; value != nil {
			body[snake(name)] = rename(value, snake)
		}
	}
	return json.Marshal(body)
}

// stateOf takes the outputs from the API's record. Where it only spells differently what the program or the last
// state says, that spelling stays, so that it is no change.
func stateOf(raw string, before property.Map) (property.Map, error) {
	var fields map[string]any
	if err := json.Unmarshal([]byte(raw), &fields); err != nil {
		return property.Map{}, err
	}
	state := map[string]property.Value{"zoneId": before.Get("zoneId")}
	for _, name := range outputNames {
		value := fields[snake(name)]
		if name == "meta" {
			text, err := json.Marshal(value)
			if err != nil {
				return property.Map{}, err
			}
			value = string(text)
		}
		state[name] = plugin.Value(value)
	}
	kind, _ := fields["type"].(string)
	for _, name := range inputNames {
		state[name] = plugin.Value(rename(fields[snake(name)], camel))
		if known := before.Get(name); sameField(kind, name, known, state[name]) {
			state[name] = known
		}
	}
	return property.NewMap(state), nil
}

func sameField(kind, name string, before, read property.Value) bool {
	switch {
	case name == "name" && before.IsString() && read.IsString():
		short, full := strings.ToLower(before.AsString()), read.AsString()
		return short == full || short == "@" || strings.HasPrefix(full, short+".")
	case name == "content" && kind == "CNAME" && before.IsString() && read.IsString():
		return strings.EqualFold(strings.TrimSuffix(before.AsString(), "."), read.AsString())
	case before.IsMap() && read.IsMap():
		// The API adds what was not asked for.
		for key, value := range before.AsMap().All {
			if !value.WithSecret(false).Equals(read.AsMap().Get(key)) {
				return false
			}
		}
		return true
	}
	return false
}
