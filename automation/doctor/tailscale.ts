import { ConfigError } from '../../components/model/errors';
import { askTailscale, checkTags } from '../../components/preflight';
import { VendorError } from '../../components/preflight/http';
import { PERSONS_PATIENCE } from '../../components/preflight/patience';
import { openTailnet } from '../observe/tailnet';
import { failed, note, ok, told, type Finding } from './finding';
import { answered, faultFindings, type VendorQuestion } from './vendor-question';

/** The tailnet's client: what it may read, and with `tryTags` which tags it may give. */
export async function checkTailscale(asked: VendorQuestion): Promise<readonly Finding[]> {
  if (asked.config.access.connectivity !== 'tailscale') {
    return [note('tailnet', 'not used: connectivity is direct')];
  }
  const faults = await askTailscale(asked);
  if (faults.length > 0) return faultFindings('client', faults);
  const [devices, tags] = await Promise.all([
    answered('devices', () => checkDevices(asked)),
    answered('tags', () => checkClientTags(asked)),
  ]);
  return [ok('client', 'taken, and may read auth keys'), ...devices, ...tags];
}

async function checkDevices({
  question,
  environment,
  config,
  credentials,
}: VendorQuestion): Promise<Finding[]> {
  const { tags } = config.access;
  const { now } = question;
  const caller = { patience: PERSONS_PATIENCE };
  try {
    const { items } = await openTailnet(credentials.tailscale, { environment, tags, now, caller }).devices();
    return [ok('devices', `can be read; ${items.length} of this stack`)];
  } catch (error) {
    if (!(error instanceof VendorError) || (error.status !== 401 && error.status !== 403)) throw error;
    return [
      failed('devices', `cannot be read: ${error.message}`, 'give the OAuth client the scope devices:core'),
    ];
  }
}

async function checkClientTags({
  question: { project: directory, now, tryTags },
  environment,
  config,
  credentials,
}: VendorQuestion): Promise<Finding[]> {
  const tags = config.access.tags.join(', ');
  if (!tryTags) {
    return [
      note(
        'tags',
        `whether the client may give ${tags} is known only by making a key: --try-tags makes one and deletes it`,
      ),
    ];
  }
  try {
    await checkTags({ environment, config, credentials, directory, now: now() * 1000 });
    return [ok('tags', `the client may give ${tags}`)];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [told('tags', error.faults[0]!.message)];
  }
}
