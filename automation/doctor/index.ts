import { readCredentials } from '../../components/preflight/credentials';
import { bounded, type Finding, type Section } from './finding';
import { checkFiles, checkNode } from './machine';
import type { Question } from './question';
import { checkQueues } from './queues';
import { readRegistry, type ReadRegistry } from './registry';
import { checkService, checkWorkerUrl } from './service';
import { checkLock, readStack, type ReadStack } from './stack';
import { checkVendors } from './vendors';

/**
 * Looks at everything that a stack needs, side by side, and changes nothing (with `tryTags` a tailnet key lives for a
 * moment). What rests on something that failed is left out.
 */
export async function diagnose(question: Question): Promise<Section[]> {
  const { patienceMs } = question;
  const service = bounded('service', (signal) => checkService(question, signal), patienceMs);
  let stack: ReadStack = { findings: [] };
  let registry: ReadRegistry = { findings: [] };
  const [opened, registered] = await Promise.all([
    bounded('stack', async () => (stack = await readStack(question)).findings, patienceMs),
    bounded('registry', async () => (registry = await readRegistry(question)).findings, patienceMs),
  ]);
  const { engine, config, values, record } = stack;
  const nothing: readonly Finding[] = [];
  const [vendors, queues, workerUrl] = await Promise.all([
    config && engine && values
      ? checkVendors({
          question,
          environment: engine.name,
          config,
          credentials: readCredentials(question.environment, (provider, key) =>
            values.get(`${provider}:${key}`),
          ),
          knownPools: Object.keys(record?.membership ?? {}),
        })
      : { hetzner: nothing, tailscale: nothing, cloudflare: nothing },
    config ? checkQueues(config, question) : nothing,
    config
      ? bounded('service.url', (signal) => checkWorkerUrl(config.service?.url, signal), patienceMs)
      : nothing,
  ]);
  return [
    { title: 'This machine', findings: [checkNode(), ...checkFiles(question)] },
    {
      title: 'Stack',
      findings: [...opened, ...(engine ? checkLock(engine, question, registry.intent) : [])],
    },
    { title: 'Hetzner', findings: vendors.hetzner },
    { title: 'Tailscale', findings: vendors.tailscale },
    { title: 'Cloudflare', findings: vendors.cloudflare },
    { title: 'Queues', findings: queues },
    { title: 'Service', findings: [...registered, ...(await service), ...workerUrl] },
  ];
}
