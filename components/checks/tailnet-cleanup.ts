import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { tailscaleCredentials } from '../preflight/tailscale-credentials';
import { authorise } from '../preflight/tailscale';
import { deleteDevice, listDevices, tailscaleSchema, type Device } from './devices';
import { readQuestion, run, say } from './question';

/** Takes the devices of a destroyed stack off the tailnet. Run by the engine through `@pulumi/command`. */

const questionSchema = z.object({
  environment: z.string(),
  pools: z.array(z.string()),
  tags: z.array(z.string()),
  tailscale: tailscaleSchema,
});
type Question = z.infer<typeof questionSchema>;

const OFFLINE_TIMEOUT_MS = 30_000;
const POLL_MS = 2_000;

run(async () => {
  const question = readQuestion(questionSchema);
  const credentials = tailscaleCredentials(question.tailscale, process.env);
  const headers = await authorise(credentials);
  const deadline = Date.now() + OFFLINE_TIMEOUT_MS;
  for (;;) {
    const ours = (await listDevices(credentials, headers)).filter((device) => isOurs(device, question));
    // A connected device has a living machine behind it; whoever owns that, it is not this stack any more.
    const gone = ours.filter((device) => !device.connectedToControl);
    for (const device of gone) {
      await deleteDevice(credentials, headers, device.nodeId);
      say(`took ${device.name} off the tailnet`);
    }
    const connected = ours.filter((device) => device.connectedToControl);
    if (connected.length === 0) return;
    if (Date.now() > deadline) {
      say(
        `left on the tailnet because still connected: ${connected.map((device) => device.name).join(', ')}`,
      );
      return;
    }
    await sleep(POLL_MS);
  }
});

/** Exactly the host names that this stack gives, and all of its tags. */
function isOurs(device: Device, { environment, pools, tags }: Question): boolean {
  const names = pools.map((pool) => `${environment}-${pool}-[0-9a-z]{4,}`);
  const pattern = new RegExp(`^(${[...names, `${environment}-nat`].join('|')})$`);
  return pattern.test(device.hostname) && tags.every((tag) => device.tags.includes(tag));
}
