package clients

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
	"tailscale.com/client/tailscale/v2"
)

func hetznerClient(t *testing.T) *hcloud.Client {
	found := sandbox(t).Hetzner
	return hcloud.NewClient(
		hcloud.WithEndpoint(found.URL),
		hcloud.WithToken(found.Token),
		hcloud.WithPollOpts(hcloud.PollOpts{BackoffFunc: hcloud.ConstantBackoff(50 * time.Millisecond)}),
	)
}

// authorizedKey gives a fresh Ed25519 public key as a line of authorized_keys.
func authorizedKey(t *testing.T) string {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	var blob []byte
	for _, part := range [][]byte{[]byte("ssh-ed25519"), public} {
		blob = binary.BigEndian.AppendUint32(blob, uint32(len(part)))
		blob = append(blob, part...)
	}
	return "ssh-ed25519 " + base64.StdEncoding.EncodeToString(blob) + " official-client"
}

func TestHetznerSSHKeys(t *testing.T) {
	ctx := deadline(t)
	keys := hetznerClient(t).SSHKey
	opts := hcloud.SSHKeyCreateOpts{
		Name:      "official-client",
		PublicKey: authorizedKey(t),
		Labels:    map[string]string{"made-by": "official-client"},
	}
	made, _, err := keys.Create(ctx, opts)
	must(t, err)
	_, _, err = keys.Create(ctx, opts)
	equal(t, "the same key again is refused", hcloud.IsError(err, hcloud.ErrorCodeUniquenessError), true)
	found, _, err := keys.GetByFingerprint(ctx, made.Fingerprint)
	must(t, err)
	equal(t, "found by fingerprint", found.ID, made.ID)
	listed, err := keys.AllWithOpts(ctx, hcloud.SSHKeyListOpts{
		ListOpts: hcloud.ListOpts{LabelSelector: "made-by=official-client"},
	})
	must(t, err)
	equal(t, "listed by label", len(listed), 1)
	_, err = keys.Delete(ctx, made)
	must(t, err)
	gone, _, err := keys.GetByID(ctx, made.ID)
	must(t, err)
	equal(t, "gone", gone == nil, true)
}

// A server made with one vendor's client, whose cloud-init spends a key made with another's, shows up as a device.
func TestServerJoinsTailnet(t *testing.T) {
	ctx := deadline(t)
	client, tailnet := hetznerClient(t), tailscaleClient(t)
	key, err := tailnet.Keys().CreateAuthKey(ctx, workerKey("tag:worker"))
	must(t, err)
	made, _, err := client.Server.Create(ctx, hcloud.ServerCreateOpts{
		Name:       "official-client",
		ServerType: &hcloud.ServerType{Name: "cx23"},
		Image:      image(t, ctx, client),
		Location:   &hcloud.Location{Name: "fsn1"},
		Labels:     map[string]string{"made-by": "official-client"},
		UserData: fmt.Sprintf(
			"#cloud-config\nruncmd:\n- curl -fsSL https://tailscale.com/install.sh | sh\n- [tailscale, up, --auth-key=%s]\n",
			key.Key,
		),
	})
	must(t, err)
	must(t, client.Action.WaitFor(ctx, append(made.NextActions, made.Action)...))
	server, _, err := client.Server.GetByID(ctx, made.Server.ID)
	must(t, err)
	equal(t, "status", server.Status, hcloud.ServerStatusRunning)

	var device tailscale.Device
	eventually(t, ctx, "the server's device", func() bool {
		devices, err := tailnet.Devices().List(ctx, tailscale.WithFilter("hostname", []string{"official-client"}))
		must(t, err)
		if len(devices) == 1 {
			device = devices[0]
		}
		return len(devices) == 1
	})
	equal(t, "authorized", device.Authorized, true)
	equal(t, "connected", device.ConnectedToControl, true)
	equal(t, "last seen", device.LastSeen == nil, true)
	spent, err := tailnet.Keys().Get(ctx, key.ID)
	must(t, err)
	equal(t, "the key is spent", spent.Invalid, true)

	same, err := tailnet.Devices().GetWithAllFields(ctx, device.NodeID)
	must(t, err)
	equal(t, "by node id", same.ID, device.ID)
	must(t, tailnet.Devices().SetAuthorized(ctx, device.ID, true))
	must(t, tailnet.Devices().SetTags(ctx, device.NodeID, []string{"tag:worker"}))
	must(t, tailnet.Devices().SetKey(ctx, device.NodeID, tailscale.DeviceKey{KeyExpiryDisabled: true}))

	result, _, err := client.Server.DeleteWithResult(ctx, server)
	must(t, err)
	must(t, client.Action.WaitFor(ctx, result.Action))
	must(t, tailnet.Devices().Delete(ctx, device.NodeID))
	_, err = tailnet.Devices().Get(ctx, device.NodeID)
	equal(t, "a deleted device is not found", tailscale.IsNotFound(err), true)
}

func image(t *testing.T, ctx context.Context, client *hcloud.Client) *hcloud.Image {
	found, _, err := client.Image.GetByNameAndArchitecture(ctx, "debian-12", hcloud.ArchitectureX86)
	must(t, err)
	if found == nil {
		t.Fatal("no image debian-12")
	}
	return found
}
