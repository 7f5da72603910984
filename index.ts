import * as pulumi from '@pulumi/pulumi';
import { ConfigError } from './components/model/errors';
import { deploy } from './deploy';

export = () =>
  deploy().catch((error: unknown) => {
    throw error instanceof ConfigError ? mistake(error.message) : error;
  });

/** What a person can put right is shown as its message alone. */
function mistake(message: string): pulumi.RunError {
  const error = new pulumi.RunError(message);
  // The engine formats the stack only to throw it away, and its marking of module paths in it takes ten seconds.
  error.stack = message;
  return error;
}
