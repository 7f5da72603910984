import type { ResourceValidationPolicy, StackValidationPolicy } from '@pulumi/policy';
import { allowedPlaces } from './rules/allowed-places';
import { boundsPresent, budgetPresent } from './rules/bounds';
import { defaultDeny } from './rules/default-deny';
import { noProtection } from './rules/no-protection';
import { ownershipLabels } from './rules/ownership-labels';
import { noPublicSsh } from './rules/public-ssh';
import { noPlainSecrets, secretsMarked } from './rules/secrets';
import { singleUseKeys } from './rules/tailnet-keys';
import { stackFile } from './stack-file';

/** Every policy of the pack. Their levels and lists are set in `config.json`, by name. */
export const policies: (ResourceValidationPolicy | StackValidationPolicy)[] = [
  noPublicSsh(),
  defaultDeny(),
  ownershipLabels(),
  singleUseKeys(),
  allowedPlaces(),
  noProtection(),
  noPlainSecrets(),
  secretsMarked(stackFile),
  boundsPresent(stackFile),
  budgetPresent(stackFile),
];
