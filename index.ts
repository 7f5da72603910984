import * as pulumi from '@pulumi/pulumi';
import { ConfigError } from './components/model/errors';
import { deploy } from './deploy';

/** What a person can put right is shown as its message alone. */
export = () =>
  deploy().catch((error: unknown) => {
    throw error instanceof ConfigError ? new pulumi.RunError(error.message) : error;
  });
