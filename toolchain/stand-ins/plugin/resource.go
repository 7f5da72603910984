package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Input is one argument of a resource type, or one setting of a provider.
type Input struct {
	Name string
	// Required makes its absence a failure; Default is what absence means, so that spelling it out is no change.
	Required bool
	Default  any
	// Replace makes a change of it a replacement of the resource.
	Replace bool
	// Secret keeps it encrypted, whatever the program says.
	Secret bool
	// Set says that the order of a list means nothing.
	Set bool
	// JSON marks a setting whose list or map the SDKs send as JSON text.
	JSON bool
}

// Resource is one resource type. Its outputs are its inputs and what Create, Read and Update return.
type Resource struct {
	Inputs []Input
	// Computed are the outputs that are unknown until the resource was created, Volatile those that are unknown
	// again while it is being updated.
	Computed []string
	Volatile []string
	// Check adds failures that need more than one input. Unknown values are still unknown here.
	Check func(inputs property.Map) []p.CheckFailure
	// Diff changes what comparing the inputs gave.
	Diff   func(state, inputs property.Map, changes *p.DiffResponse)
	Create func(ctx context.Context, inputs property.Map) (id string, outputs property.Map, err error)
	// Read reports found=false for what no longer exists. Without Read, a refresh changes nothing.
	Read   func(ctx context.Context, id string, state property.Map) (outputs property.Map, found bool, err error)
	Update func(ctx context.Context, id string, state, inputs property.Map) (outputs property.Map, err error)
	Delete func(ctx context.Context, id string, state property.Map) error
}

// passed to every provider by the engine, and no input of it.
var engineOwn = map[string]bool{"version": true, "pluginDownloadURL": true}

func check(declared []Input, inputs property.Map) (property.Map, []p.CheckFailure) {
	var failures []p.CheckFailure
	names := map[string]bool{}
	for _, input := range declared {
		names[input.Name] = true
		value := inputs.Get(input.Name)
		if value.IsNull() {
			if input.Required {
				failures = append(failures, p.CheckFailure{Property: input.Name, Reason: "is required"})
			}
			inputs = inputs.Delete(input.Name)
			continue
		}
		if input.JSON && value.IsString() {
			var parsed any
			if err := json.Unmarshal([]byte(value.AsString()), &parsed); err == nil {
				value = Value(parsed).WithSecret(value.Secret())
			}
		}
		inputs = inputs.Set(input.Name, value.WithSecret(value.Secret() || input.Secret))
	}
	for name := range inputs.All {
		if engineOwn[name] || strings.HasPrefix(name, "__") {
			inputs = inputs.Delete(name)
		} else if !names[name] {
			failures = append(failures, p.CheckFailure{Property: name, Reason: "is not an input of this stand-in (docs/toolchain.md)"})
		}
	}
	sort.Slice(failures, func(i, j int) bool { return failures[i].Property < failures[j].Property })
	return inputs, failures
}

// diff compares input by input. A value that is not known yet counts as a change.
func diff(declared []Input, old, new property.Map) p.DiffResponse {
	changes := map[string]p.PropertyDiff{}
	for _, input := range declared {
		before, after := old.Get(input.Name), new.Get(input.Name)
		if input.same(before, after) && !after.HasComputed() {
			continue
		}
		changes[input.Name] = p.PropertyDiff{Kind: kindOf(before.IsNull(), after.IsNull(), input.Replace), InputDiff: true}
	}
	return p.DiffResponse{HasChanges: len(changes) > 0, DetailedDiff: changes}
}

// same compares values, not their secrecy.
func (input Input) same(a, b property.Value) bool {
	a, b = plain(input.effective(a)), plain(input.effective(b))
	if input.Set && a.IsArray() && b.IsArray() && !a.HasComputed() && !b.HasComputed() {
		a, b = sorted(a.AsArray()), sorted(b.AsArray())
	}
	return a.Equals(b)
}

func (input Input) effective(value property.Value) property.Value {
	if value.IsNull() && input.Default != nil {
		return Value(input.Default)
	}
	return value
}

func sorted(list property.Array) property.Value {
	items := list.AsSlice()
	sort.Slice(items, func(i, j int) bool { return fmt.Sprint(goValue(items[i])) < fmt.Sprint(goValue(items[j])) })
	return property.New(items)
}

func kindOf(added, removed, replace bool) p.DiffKind {
	kind := p.Update
	if added {
		kind = p.Add
	} else if removed {
		kind = p.Delete
	}
	if replace {
		kind += "&replace"
	}
	return kind
}

// inputsFrom gives a refresh its inputs, so that the next diff sees what was changed behind Pulumi's back: an input
// takes the value that was read when the two differ, but one that the program left to the vendor stays unset. After
// an import there are none yet, so everything that was read counts.
func inputsFrom(declared []Input, inputs, state property.Map) property.Map {
	imported := inputs.Len() == 0
	for _, input := range declared {
		set, read := inputs.Get(input.Name), state.Get(input.Name)
		if read.IsNull() || input.same(set, read) {
			continue
		}
		if imported || !set.IsNull() || input.Default != nil {
			inputs = inputs.Set(input.Name, read.WithSecret(set.Secret() || input.Secret))
		}
	}
	return inputs
}

func onlyOutputs(declared []Input, state property.Map) property.Map {
	for _, input := range declared {
		state = state.Delete(input.Name)
	}
	return state
}

// merge lays new values over old ones. A value stays secret once it was.
func merge(old, new property.Map) property.Map {
	for name, value := range new.All {
		old = old.Set(name, value.WithSecret(value.Secret() || old.Get(name).Secret()))
	}
	return old
}

func unknown(state property.Map, names []string) property.Map {
	for _, name := range names {
		state = state.Set(name, property.New(property.Computed))
	}
	return state
}

// Decode fills a struct with json tags from properties. What the struct does not name is left out.
func Decode(from property.Map, into any) error {
	text, err := json.Marshal(goValue(property.New(from)))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("an input has the wrong type: %w", err)
	}
	return nil
}

// Encode turns a struct with json tags into properties.
func Encode(from any) (property.Map, error) {
	text, err := json.Marshal(from)
	if err != nil {
		return property.Map{}, err
	}
	var value map[string]any
	if err := json.Unmarshal(text, &value); err != nil {
		return property.Map{}, err
	}
	return Value(value).AsMap(), nil
}

// Value turns what encoding/json makes of a text into a property.
func Value(from any) property.Value {
	switch from := from.(type) {
	case map[string]any:
		fields := map[string]property.Value{}
		for name, value := range from {
			fields[name] = Value(value)
		}
		return property.New(fields)
	case []any:
		items := make([]property.Value, len(from))
		for i, item := range from {
			items[i] = Value(item)
		}
		return property.New(items)
	case string:
		return property.New(from)
	case float64:
		return property.New(from)
	case int:
		return property.New(float64(from))
	case bool:
		return property.New(from)
	case nil:
		return property.Value{}
	default:
		panic(fmt.Sprintf("no property for a %T", from))
	}
}

// goValue is the inverse of Value, with secrets open. Assets and what is not known become nil.
func goValue(from property.Value) any {
	switch {
	case from.IsMap():
		fields := map[string]any{}
		for name, value := range from.AsMap().All {
			fields[name] = goValue(value)
		}
		return fields
	case from.IsArray():
		items := make([]any, 0, from.AsArray().Len())
		for _, item := range from.AsArray().All {
			items = append(items, goValue(item))
		}
		return items
	case from.IsString():
		return from.AsString()
	case from.IsNumber():
		return from.AsNumber()
	case from.IsBool():
		return from.AsBool()
	default:
		return nil
	}
}

// plain drops secrecy and dependencies, which are no difference in value.
func plain(from property.Value) property.Value {
	from = from.WithSecret(false).WithDependencies(nil)
	switch {
	case from.IsMap():
		fields := map[string]property.Value{}
		for name, value := range from.AsMap().All {
			fields[name] = plain(value)
		}
		return property.New(fields)
	case from.IsArray():
		items := make([]property.Value, 0, from.AsArray().Len())
		for _, item := range from.AsArray().All {
			items = append(items, plain(item))
		}
		return property.New(items)
	default:
		return from
	}
}
