// Package plugintest drives a plugin in process, the way the engine does.
package plugintest

import (
	"context"
	"testing"

	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugin"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Plugin is a configured plugin under test.
type Plugin struct {
	t        *testing.T
	provider p.Provider
}

// Configure starts the plugin with the given settings.
func Configure(t *testing.T, pkg plugin.Package, config map[string]any) Plugin {
	t.Helper()
	provider := pkg.Provider()
	checked, err := provider.CheckConfig(context.Background(), p.CheckRequest{Inputs: Map(config)})
	if err != nil || len(checked.Failures) > 0 {
		t.Fatalf("the configuration is refused: %v %v", checked.Failures, err)
	}
	if err := provider.Configure(context.Background(), p.ConfigureRequest{Args: checked.Inputs}); err != nil {
		t.Fatal(err)
	}
	return Plugin{t, provider}
}

// Map turns plain Go values into properties.
func Map(values map[string]any) property.Map { return plugin.Value(values).AsMap() }

func urn(token string) resource.URN {
	return resource.NewURN("test", "test", "", tokens.Type(token), "it")
}

// Create checks and creates; dryRun as in a preview.
func (s Plugin) Create(token string, inputs property.Map, dryRun bool) (string, property.Map, error) {
	s.t.Helper()
	checked, err := s.provider.Check(context.Background(), p.CheckRequest{Urn: urn(token), Inputs: inputs})
	if err != nil || len(checked.Failures) > 0 {
		s.t.Fatalf("the inputs are refused: %v %v", checked.Failures, err)
	}
	created, err := s.provider.Create(context.Background(),
		p.CreateRequest{Urn: urn(token), Properties: checked.Inputs, DryRun: dryRun})
	return created.ID, created.Properties, err
}

// Diff compares the state that oldInputs gave with new inputs: the kind of change by property.
func (s Plugin) Diff(token string, state, oldInputs, inputs property.Map) map[string]p.DiffKind {
	s.t.Helper()
	diff, err := s.provider.Diff(context.Background(),
		p.DiffRequest{Urn: urn(token), ID: "1", State: state, OldInputs: oldInputs, Inputs: inputs})
	if err != nil {
		s.t.Fatal(err)
	}
	kinds := map[string]p.DiffKind{}
	for name, change := range diff.DetailedDiff {
		kinds[name] = change.Kind
	}
	if diff.HasChanges != (len(kinds) > 0) {
		s.t.Fatalf("HasChanges is %v with %v", diff.HasChanges, kinds)
	}
	return kinds
}

// Read refreshes. An empty id means that the resource is gone.
func (s Plugin) Read(token, id string, state, inputs property.Map) p.ReadResponse {
	s.t.Helper()
	read, err := s.provider.Read(context.Background(),
		p.ReadRequest{Urn: urn(token), ID: id, Properties: state, Inputs: inputs})
	if err != nil {
		s.t.Fatal(err)
	}
	return read
}

// Update changes a resource in place.
func (s Plugin) Update(token, id string, state, inputs property.Map) (property.Map, error) {
	updated, err := s.provider.Update(context.Background(),
		p.UpdateRequest{Urn: urn(token), ID: id, State: state, Inputs: inputs})
	return updated.Properties, err
}

// Delete deletes a resource.
func (s Plugin) Delete(token, id string, state property.Map) error {
	return s.provider.Delete(context.Background(), p.DeleteRequest{Urn: urn(token), ID: id, Properties: state})
}

// Invoke calls a function.
func (s Plugin) Invoke(token string, args map[string]any) (property.Map, error) {
	result, err := s.provider.Invoke(context.Background(), p.InvokeRequest{Token: tokens.Type(token), Args: Map(args)})
	return result.Return, err
}
