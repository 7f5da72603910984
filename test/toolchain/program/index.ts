import * as cloudflare from '@pulumi/cloudflare';
import * as command from '@pulumi/command';
import * as hcloud from '@pulumi/hcloud';
import * as pulumi from '@pulumi/pulumi';
import * as tailscale from '@pulumi/tailscale';

const sshKey = new hcloud.SshKey('admin', {
  name: 'admin',
  publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtFBDNE7rIbrFhKPcGFUcv3bBBmJHeCnPPJx5gYnnwo',
});
const key = new tailscale.TailnetKey('worker', {
  ephemeral: true,
  preauthorized: true,
  expiry: 3600,
  tags: ['tag:worker'],
  recreateIfInvalid: 'never',
});
const zone = cloudflare.getZoneOutput({ filter: { name: 'example.com' } });
const record = new cloudflare.DnsRecord('worker', {
  zoneId: zone.zoneId,
  name: 'worker.example.com',
  type: 'A',
  content: '192.0.2.1',
  ttl: 60,
});
const told = new command.local.Command('told', {
  create: pulumi.interpolate`echo ${record.name} has ${sshKey.fingerprint}`,
  triggers: [key.id],
});

export const keyId = key.id;
export const authKey = key.key;
export const stdout = told.stdout;
