import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { tailscaleCredentials } from '../preflight/tailscale-credentials';
import { awaitDevice, tailscaleSchema, type Device } from './devices';
import { readQuestion, run, say } from './question';
import { connect, connectUntil, forward, runCommand, type SshTarget } from './ssh';
import type { Client } from 'ssh2';

/** Waits over SSH until a new machine has set itself up. Run by the engine through `@pulumi/command`. */

const questionSchema = z.object({
  kind: z.enum(['worker', 'gateway']),
  hostname: z.string(),
  address: z.string(),
  hostKey: z.string(),
  connectivity: z.enum(['tailscale', 'direct']),
  sshPort: z.number(),
  privateKeyFile: z.string().optional(),
  tailscale: tailscaleSchema,
  jump: z.object({ address: z.string(), hostKey: z.string() }).optional(),
});
type Question = z.infer<typeof questionSchema>;

/** Seconds that were given, for images that take longer. */
const GIVEN = process.env['WORKER_POOLS_READY_TIMEOUT'];
/** Milliseconds from the start of the check until the machine is on the tailnet, and until its set-up has ended. */
const ENROLMENT_TIMEOUT_MS = Number(GIVEN ?? 120) * 1000;
const SET_UP_TIMEOUT_MS = Number(GIVEN ?? 15 * 60) * 1000;

run(async () => {
  const question = readQuestion(questionSchema);
  const deadline = Date.now() + SET_UP_TIMEOUT_MS;
  const device =
    question.connectivity === 'tailscale'
      ? await awaitDevice(
          tailscaleCredentials(question.tailscale, process.env),
          question.hostname,
          ENROLMENT_TIMEOUT_MS,
          say,
        )
      : undefined;
  const address = device?.addresses[0] ?? question.address;
  let reported = 0;
  const client = await connectUntil(
    deadline,
    () => open(question, address),
    (reason) => {
      reported += 1;
      if (reported % 5 === 1) say(`waiting for SSH on ${question.hostname} at ${address} (${reason})`);
    },
  );
  await awaitCloudInit(client, question.hostname, deadline);
  if (question.kind === 'gateway') await checkForwarding(client, question.hostname);
  client.end();
  process.stdout.write(`${JSON.stringify(result(question, address, device))}\n`);
});

async function open(question: Question, address: string): Promise<Client> {
  const target: SshTarget = {
    host: address,
    port: question.sshPort,
    hostKey: question.hostKey,
    privateKeyFile: question.privateKeyFile,
  };
  if (!question.jump || question.connectivity === 'tailscale') return connect(target);
  const between = await connect({ ...target, host: question.jump.address, hostKey: question.jump.hostKey });
  try {
    return await connect({ ...target, through: await forward(between, address, question.sshPort) });
  } catch (error) {
    between.destroy();
    throw error;
  }
}

/** @throws Error with the end of the machine's own log when its set-up failed */
async function awaitCloudInit(client: Client, hostname: string, deadline: number): Promise<void> {
  say(`${hostname} answers SSH; waiting for cloud-init`);
  const status = runCommand(client, 'cloud-init status --wait --long', (line) => {
    const text = line.replace(/^\.+/, '').trim();
    if (text !== '') say(`${hostname}: ${text}`);
  });
  const late = sleep(Math.max(0, deadline - Date.now()), undefined, { ref: false }).then(() => {
    throw new Error(
      `${hostname}: cloud-init did not end within ${SET_UP_TIMEOUT_MS / 1000} s. Look at \`cloud-init status --long\` and /var/log/cloud-init-output.log there; give WORKER_POOLS_READY_TIMEOUT (seconds) if its set-up needs longer.`,
    );
  });
  const { code, output } = await Promise.race([status, late]);
  if (code === 0 && /status: done/.test(output)) return;
  const log = await runCommand(client, 'tail -n 15 /var/log/cloud-init-output.log');
  throw new Error(
    `${hostname}: cloud-init ended with "${/status: .*/.exec(output)?.[0] ?? `exit code ${code}`}". The end of its /var/log/cloud-init-output.log:\n${log.output}`,
  );
}

/** @throws Error when the machine does not forward or does not translate addresses */
async function checkForwarding(client: Client, hostname: string): Promise<void> {
  const forwarding = await runCommand(client, 'sysctl -n net.ipv4.ip_forward');
  const rules = await runCommand(client, 'nft list ruleset');
  const problems = [
    ...(forwarding.output.trim() === '1' ? [] : ['net.ipv4.ip_forward is not 1']),
    ...(rules.output.includes('masquerade') ? [] : ['the nftables rules have no masquerade']),
  ];
  if (problems.length > 0) {
    throw new Error(
      `${hostname} does not forward: ${problems.join('; ')}. Look at \`nft list ruleset\` and \`sysctl net.ipv4.ip_forward\` there.`,
    );
  }
  say(`${hostname} forwards and translates addresses`);
}

function result(question: Question, address: string, device: Device | undefined): Record<string, string> {
  return {
    hostname: question.hostname,
    address,
    ...(device ? { tailnetName: device.name, deviceId: device.nodeId } : {}),
  };
}
