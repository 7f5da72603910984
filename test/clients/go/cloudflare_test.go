package clients

import (
	"errors"
	"testing"

	"github.com/cloudflare/cloudflare-go/v4"
	"github.com/cloudflare/cloudflare-go/v4/dns"
	"github.com/cloudflare/cloudflare-go/v4/option"
	"github.com/cloudflare/cloudflare-go/v4/zones"
)

func cloudflareOptions(t *testing.T) ([]option.RequestOption, string) {
	found := sandbox(t).Cloudflare
	return []option.RequestOption{
		option.WithBaseURL(found.URL + "/"),
		option.WithAPIToken(found.Token),
		option.WithMaxRetries(0),
	}, found.Zone
}

func addressRecord(name, address string) dns.ARecordParam {
	return dns.ARecordParam{
		Name:    cloudflare.F(name),
		Type:    cloudflare.F(dns.ARecordTypeA),
		Content: cloudflare.F(address),
		TTL:     cloudflare.F(dns.TTL(300)),
		Comment: cloudflare.F("official client"),
	}
}

func errorCode(t *testing.T, err error) (status int, code int64) {
	t.Helper()
	var refused *cloudflare.Error
	if !errors.As(err, &refused) {
		t.Fatalf("expected the vendor's error, got %v", err)
	}
	if len(refused.Errors) == 0 {
		t.Fatalf("error without entries: %v", err)
	}
	return refused.StatusCode, refused.Errors[0].Code
}

func TestCloudflareRecords(t *testing.T) {
	ctx := deadline(t)
	options, zoneName := cloudflareOptions(t)
	found, err := zones.NewZoneService(options...).List(ctx, zones.ZoneListParams{Name: cloudflare.F(zoneName)})
	must(t, err)
	equal(t, "zones", len(found.Result), 1)
	zone := cloudflare.F(found.Result[0].ID)
	byID, err := zones.NewZoneService(options...).Get(ctx, zones.ZoneGetParams{ZoneID: zone})
	must(t, err)
	equal(t, "zone", byID.Name, zoneName)
	equal(t, "status", byID.Status, zones.ZoneStatusActive)

	records := dns.NewRecordService(options...)
	name := "official." + zoneName
	made, err := records.New(ctx, dns.RecordNewParams{ZoneID: zone, Body: addressRecord("official", "203.0.113.1")})
	must(t, err)
	equal(t, "name", made.Name, name)
	equal(t, "TTL", made.TTL, dns.TTL(300))

	_, err = records.New(ctx, dns.RecordNewParams{ZoneID: zone, Body: addressRecord(name, "203.0.113.1")})
	status, code := errorCode(t, err)
	equal(t, "status of the same record again", status, 400)
	equal(t, "code of the same record again", code, 81058)

	read, err := records.Get(ctx, made.ID, dns.RecordGetParams{ZoneID: zone})
	must(t, err)
	equal(t, "comment", read.Comment, "official client")
	equal(t, "modified on", read.ModifiedOn, made.ModifiedOn)

	updated, err := records.Update(ctx, made.ID, dns.RecordUpdateParams{ZoneID: zone, Body: addressRecord(name, "203.0.113.2")})
	must(t, err)
	equal(t, "content after PUT", updated.Content, "203.0.113.2")
	edited, err := records.Edit(ctx, made.ID, dns.RecordEditParams{ZoneID: zone, Body: addressRecord(name, "203.0.113.3")})
	must(t, err)
	equal(t, "content after PATCH", edited.Content, "203.0.113.3")

	_, err = records.Delete(ctx, made.ID, dns.RecordDeleteParams{ZoneID: zone})
	must(t, err)
	_, err = records.Get(ctx, made.ID, dns.RecordGetParams{ZoneID: zone})
	status, code = errorCode(t, err)
	equal(t, "status of a deleted record", status, 404)
	equal(t, "code of a deleted record", code, 81044)
}

func TestCloudflareBatchAndPaging(t *testing.T) {
	ctx := deadline(t)
	options, zoneName := cloudflareOptions(t)
	found, err := zones.NewZoneService(options...).List(ctx, zones.ZoneListParams{Name: cloudflare.F(zoneName)})
	must(t, err)
	zone := cloudflare.F(found.Result[0].ID)
	records := dns.NewRecordService(options...)

	var posts []dns.RecordBatchParamsPostUnion
	for _, address := range []string{"203.0.113.11", "203.0.113.12", "203.0.113.13"} {
		posts = append(posts, addressRecord("batch", address))
	}
	made, err := records.Batch(ctx, dns.RecordBatchParams{ZoneID: zone, Posts: cloudflare.F(posts)})
	must(t, err)
	equal(t, "records posted", len(made.Posts), 3)

	pages := records.ListAutoPaging(ctx, dns.RecordListParams{
		ZoneID:  zone,
		Name:    cloudflare.F(dns.RecordListParamsName{Startswith: cloudflare.F("batch.")}),
		Type:    cloudflare.F(dns.RecordListParamsTypeA),
		Order:   cloudflare.F(dns.RecordListParamsOrderContent),
		PerPage: cloudflare.F(2.0),
	})
	var deletes []dns.RecordBatchParamsDelete
	for pages.Next() {
		deletes = append(deletes, dns.RecordBatchParamsDelete{ID: cloudflare.F(pages.Current().ID)})
	}
	must(t, pages.Err())
	equal(t, "records over two pages", len(deletes), 3)

	_, err = records.Batch(ctx, dns.RecordBatchParams{
		ZoneID:  zone,
		Deletes: cloudflare.F(deletes),
		Posts:   cloudflare.F([]dns.RecordBatchParamsPostUnion{addressRecord("batch", "no address")}),
	})
	_, code := errorCode(t, err)
	equal(t, "code of a batch with a bad record", code, 9005)
	_, err = records.Batch(ctx, dns.RecordBatchParams{ZoneID: zone, Deletes: cloudflare.F(deletes)})
	must(t, err)
}

func TestCloudflareRefusesAnotherToken(t *testing.T) {
	options, _ := cloudflareOptions(t)
	options = append(options, option.WithAPIToken("0000000000000000000000000000000000000000"))
	_, err := zones.NewZoneService(options...).List(deadline(t), zones.ZoneListParams{})
	status, code := errorCode(t, err)
	equal(t, "status", status, 403)
	equal(t, "code", code, 9109)
}
