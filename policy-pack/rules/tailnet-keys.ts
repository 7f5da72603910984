import { validateResourceOfType, type ResourceValidationPolicy } from '@pulumi/policy';
import * as tailscale from '@pulumi/tailscale';

/** @param longest seconds that a key may live */
export function singleUseKeys(longest = 3600): ResourceValidationPolicy {
  return {
    name: 'single-use-tailnet-keys',
    description: `A tailnet key joins one tagged, ephemeral machine, within ${longest} seconds.`,
    severity: 'high',
    validateResource: validateResourceOfType(tailscale.TailnetKey, (key, _args, report) => {
      if (key.reusable === true) report('is reusable: whoever reads it later can join the tailnet with it');
      if (key.ephemeral !== true) report('is not ephemeral: the devices of deleted machines would stay');
      if ((key.tags ?? []).length === 0)
        report('has no tags: its machine would act as the person who made it');
      // Without an expiry Tailscale gives ninety days.
      if (!(typeof key.expiry === 'number' && key.expiry <= longest)) {
        report(`lives ${key.expiry ?? 'ninety days'}, and ${longest} seconds are enough to boot`);
      }
    }),
  };
}
