package cloudflare

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hcloud-worker-pools/toolchain/stand-ins/plugintest"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const (
	recordToken = "cloudflare:index/dnsRecord:DnsRecord"
	zone        = "023e105f4ecef8ad9ca31a8372d0c353"
)

// dnsAPI answers like the vendor's API for one record of one zone.
type dnsAPI struct {
	record  map[string]any
	methods []string
}

func serve(t *testing.T) (*dnsAPI, plugintest.Plugin) {
	t.Helper()
	api := &dnsAPI{}
	answer := func(w http.ResponseWriter, result any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "errors": []any{}, "messages": []any{}, "result": result})
	}
	write := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		api.record = map[string]any{
			"id": "r1", "proxiable": true, "meta": map[string]any{}, "settings": map[string]any{}, "tags": []any{},
			"proxied": false, "created_on": "2026-01-02T03:04:05Z", "modified_on": "2026-01-02T03:04:05Z", "comment": nil,
		}
		_ = json.Unmarshal(body, &api.record)
		if name := api.record["name"].(string); !strings.HasSuffix(name, "example.com") {
			api.record["name"] = name + ".example.com"
		}
		api.methods = append(api.methods, r.Method)
		answer(w, api.record)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /client/v4/zones/"+zone+"/dns_records", write)
	mux.HandleFunc("PUT /client/v4/zones/"+zone+"/dns_records/r1", write)
	mux.HandleFunc("/client/v4/zones/"+zone+"/dns_records/r1", func(w http.ResponseWriter, r *http.Request) {
		if api.record == nil {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"success":false,"errors":[{"code":81044,"message":"Record does not exist."}],"result":null}`))
			return
		}
		answer(w, api.record)
		if r.Method == http.MethodDelete {
			api.record = nil
		}
	})
	mux.HandleFunc("GET /client/v4/zones", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("name") == "example.com" {
			answer(w, []any{map[string]any{"id": zone, "name": "example.com"}})
		} else {
			answer(w, []any{})
		}
	})
	mux.HandleFunc("GET /client/v4/zones/"+zone, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"id": zone, "name": "example.com", "name_servers": []any{"a.ns"}, "status": "active"})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return api, plugintest.Configure(t, Package(), map[string]any{
		"apiToken": strings.Repeat("t", 40), "baseUrl": server.URL + "/client/v4",
	})
}

func record(changes map[string]any) property.Map {
	inputs := map[string]any{"zoneId": zone, "name": "a.example.com", "type": "A", "content": "192.0.2.1", "ttl": 60.0}
	maps.Copy(inputs, changes)
	return plugintest.Map(inputs)
}

func TestRecordLifeCycle(t *testing.T) {
	api, plugin := serve(t)
	inputs := record(map[string]any{"name": "a", "settings": map[string]any{"ipv4Only": true}})
	id, state, err := plugin.Create(recordToken, inputs, false)
	if err != nil {
		t.Fatal(err)
	}
	if api.record["settings"].(map[string]any)["ipv4_only"] != true {
		t.Errorf("sent %v", api.record)
	}
	if state.Get("name").AsString() != "a" || state.Get("createdOn").AsString() == "" || state.Get("meta").AsString() != "{}" {
		t.Errorf("state %v", state)
	}
	read := plugin.Read(recordToken, id, state, inputs)
	if changes := plugin.Diff(recordToken, read.Properties, read.Inputs, inputs); len(changes) != 0 {
		t.Errorf("the API's spelling made changes: %v", changes)
	}
	changed := record(map[string]any{"name": "a", "content": "192.0.2.2", "comment": "x"})
	if state, err = plugin.Update(recordToken, id, state, changed); err != nil || state.Get("content").AsString() != "192.0.2.2" {
		t.Errorf("%v %v", state, err)
	}
	if strings.Join(api.methods, " ") != "POST PUT" {
		t.Errorf("methods %v", api.methods)
	}
	if err := plugin.Delete(recordToken, id, state); err != nil {
		t.Error(err)
	}
	if err := plugin.Delete(recordToken, id, state); err == nil || !strings.Contains(err.Error(), "81044") {
		t.Errorf("deleting a record that is gone: %v", err)
	}
	if read := plugin.Read(recordToken, id, state, changed); read.ID != "" {
		t.Errorf("a record that is gone was read: %v", read)
	}
}

func TestRefreshFindsWhatWasChangedByHand(t *testing.T) {
	api, plugin := serve(t)
	inputs := record(nil)
	id, state, err := plugin.Create(recordToken, inputs, false)
	if err != nil {
		t.Fatal(err)
	}
	api.record["content"], api.record["comment"] = "192.0.2.99", "by hand"
	read := plugin.Read(recordToken, id, state, inputs)
	want := map[string]p.DiffKind{"content": p.Update, "comment": p.Delete}
	if got := plugin.Diff(recordToken, read.Properties, read.Inputs, inputs); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTypeAndZoneReplaceARecord(t *testing.T) {
	_, plugin := serve(t)
	for name, value := range map[string]any{"type": "AAAA", "zoneId": "other"} {
		got := plugin.Diff(recordToken, property.Map{}, record(nil), record(map[string]any{name: value}))
		if got[name] != p.UpdateReplace {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestProxiedRecordNeedsAutomaticTTL(t *testing.T) {
	_, plugin := serve(t)
	if _, _, err := plugin.Create(recordToken, record(map[string]any{"proxied": true}), false); err == nil || !strings.Contains(err.Error(), "ttl") {
		t.Errorf("%v", err)
	}
	if _, _, err := plugin.Create(recordToken, record(map[string]any{"proxied": true, "ttl": 1.0}), false); err != nil {
		t.Error(err)
	}
}

func TestGetZone(t *testing.T) {
	_, plugin := serve(t)
	for _, args := range []map[string]any{{"zoneId": zone}, {"filter": map[string]any{"name": "example.com"}}} {
		result, err := plugin.Invoke("cloudflare:index/getZone:getZone", args)
		if err != nil || result.Get("zoneId").AsString() != zone || result.Get("nameServers").AsArray().Len() != 1 {
			t.Errorf("%v: %v %v", args, result, err)
		}
	}
	if _, err := plugin.Invoke("cloudflare:index/getZone:getZone", map[string]any{"filter": map[string]any{"name": "other.com"}}); err == nil {
		t.Error("a zone that is not in the account was found")
	}
}

func TestTokenOfAnotherForm(t *testing.T) {
	checked, err := Package().Provider().CheckConfig(t.Context(), p.CheckRequest{Inputs: plugintest.Map(map[string]any{"apiToken": "short"})})
	if err != nil || len(checked.Failures) != 1 || checked.Failures[0].Property != "apiToken" {
		t.Errorf("%v %v", checked.Failures, err)
	}
}
