import * as hcloud from '@pulumi/hcloud';
import * as pulumi from '@pulumi/pulumi';
import { physicalName } from './model/names';
import { stackLabels } from './model/labels';
import type { SshKeyPlan } from './preflight/ssh-keys';

export interface SshAccessArgs {
  environment: string;
  keys: SshKeyPlan[];
}

/**
 * The public keys that every machine of the stack accepts. A key that the project has already is used by its id and is
 * no resource of the stack, so that taking the stack down cannot take it away.
 */
export class SshAccess extends pulumi.ComponentResource {
  /** Ids as the API knows them. */
  readonly keyIds: pulumi.Output<string>[];
  /** `authorized_keys` lines. */
  readonly authorizedKeys: string[];

  constructor(name: string, { environment, keys }: SshAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super('workerpools:index:SshAccess', name, {}, opts);
    this.authorizedKeys = keys.map(({ key }) => key.line);
    this.keyIds = keys.map((plan) => {
      const short = plan.key.fingerprint.replaceAll(':', '').slice(0, 8);
      if (plan.kind === 'reuse') {
        void pulumi.log.info(
          `SSH key "${plan.name}" (${plan.key.fingerprint}) is in the project already; it is reused and left alone`,
          this,
        );
        return pulumi.output(String(plan.id));
      }
      if (!plan.exists) {
        void pulumi.log.info(`SSH key ${plan.key.fingerprint} is not in the project; it is added`, this);
      }
      return new hcloud.SshKey(
        `${name}-${short}`,
        {
          name: physicalName(environment, short),
          publicKey: plan.key.line,
          labels: stackLabels(environment),
        },
        { parent: this, deleteBeforeReplace: true },
      ).id;
    });
    this.registerOutputs({});
  }
}
