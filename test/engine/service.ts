import { LocalWorkspace } from '@pulumi/pulumi/automation';
import { z } from 'zod';
import { membershipSchema } from '../../components/model/membership';
import { deploy } from '../../deploy';

/** Stands for the scaling service in a process of its own, so that a test can kill it: one update with an intent. */

const { stack, folder, root, membership } = z
  .object({ stack: z.string(), folder: z.string(), root: z.string(), membership: membershipSchema })
  .parse(JSON.parse(process.argv[2] ?? 'null'));

void LocalWorkspace.selectStack(
  {
    stackName: stack,
    projectName: 'worker-pools',
    program: () => deploy({ intend: () => membership, directory: root }),
  },
  { workDir: folder },
).then((selected) => selected.up({ onOutput: (text) => process.stdout.write(text) }));
