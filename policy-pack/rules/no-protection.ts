import type { ResourceValidationPolicy } from '@pulumi/policy';

/** Taking a stack down must leave nothing behind, and a worker must be removable at any time. */
export function noProtection(): ResourceValidationPolicy {
  return {
    name: 'no-protection',
    description: 'Nothing is protected against deletion: it would block scale-in and destroy.',
    severity: 'medium',
    validateResource: ({ props, opts }, report) => {
      const on = ['deleteProtection', 'rebuildProtection'].filter((key) => props[key] === true);
      if (opts.protect) on.push('protect');
      if (on.length > 0) report(`has ${on.join(' and ')} set`);
    },
  };
}
