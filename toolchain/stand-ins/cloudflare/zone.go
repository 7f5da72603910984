package cloudflare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/cloudflare/cloudflare-go/v4/option"
	"github.com/cloudflare/cloudflare-go/v4/zones"
	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// getZone looks a zone up by id, or by a filter that only one zone may match.
func (c *connection) getZone(ctx context.Context, args property.Map) (property.Map, error) {
	var wanted struct {
		ZoneID string         `json:"zoneId"`
		Filter map[string]any `json:"filter"`
	}
	if err := plugin.Decode(args, &wanted); err != nil {
		return property.Map{}, err
	}
	if (wanted.ZoneID == "") == (wanted.Filter == nil) {
		return property.Map{}, errors.New("getZone takes exactly one of zoneId and filter")
	}
	if wanted.ZoneID == "" {
		found, err := c.zones.List(ctx, zones.ZoneListParams{}, query(wanted.Filter)...)
		if err != nil {
			return property.Map{}, failed("list the zones", err)
		}
		if len(found.Result) != 1 {
			return property.Map{}, fmt.Errorf("failed to find exactly one result: %d zones match %v; "+
				"check the name, and that the API token may read the zone", len(found.Result), wanted.Filter)
		}
		wanted.ZoneID = found.Result[0].ID
	}
	var params zones.ZoneGetParams
	params.ZoneID.Value, params.ZoneID.Present = wanted.ZoneID, true
	zone, err := c.zones.Get(ctx, params)
	if err != nil {
		return property.Map{}, failed("read the zone "+wanted.ZoneID, err)
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(zone.JSON.RawJSON()), &fields); err != nil {
		return property.Map{}, err
	}
	for name, value := range plugin.Value(rename(fields, camel)).AsMap().All {
		args = args.Set(name, value)
	}
	return args.Set("zoneId", property.New(wanted.ZoneID)), nil
}

// query spells a filter as the API's list parameters: account.id, name, status, …
func query(filter map[string]any) []option.RequestOption {
	var options []option.RequestOption
	for name, value := range filter {
		switch value := value.(type) {
		case map[string]any:
			for field, inner := range value {
				options = append(options, option.WithQuery(snake(name)+"."+snake(field), fmt.Sprint(inner)))
			}
		case []any:
			words := make([]string, len(value))
			for i, word := range value {
				words[i] = fmt.Sprint(word)
			}
			// The API's parameter for several types is called type.
			options = append(options, option.WithQuery(strings.TrimSuffix(snake(name), "s"), strings.Join(words, ",")))
		case nil:
		default:
			options = append(options, option.WithQuery(snake(name), fmt.Sprint(value)))
		}
	}
	return options
}
