import { z } from 'zod';

const share = z.number().min(0).max(1);

/** How the machines behave; every field has a default. */
export const machineSettingsSchema = z.strictObject({
  /** Seconds from power-on until cloud-init has ended, drawn evenly; a stock image that installs packages. */
  bootSeconds: z
    .strictObject({ min: z.number().min(0).default(40), max: z.number().min(0).default(90) })
    .prefault({})
    .refine(({ min, max }) => max >= min, 'bootSeconds.max is below bootSeconds.min'),
  /** Share of fresh machines on which cloud-init hangs for ever: a broken image. */
  neverReadyShare: share.default(0),
  /** Share of boots that take `slowFactor` times as long. */
  slowShare: share.default(0),
  slowFactor: z.number().min(1).default(5),
  /** Seconds that a document which waits for the network (a loop around curl, ping, …) goes on trying. */
  networkPatienceSeconds: z.number().min(0).default(300),
  /** Share of machines that hang some time after they were ready: they run, but neither beat nor end a job. */
  dieShare: share.default(0),
  /** Seconds from ready until such a machine hangs, drawn evenly. */
  dieAfterSeconds: z
    .strictObject({ min: z.number().min(0).default(0), max: z.number().min(0).default(3600) })
    .prefault({})
    .refine(({ min, max }) => max >= min, 'dieAfterSeconds.max is below dieAfterSeconds.min'),
  /** Wall seconds that a heartbeat waits for its answer, whatever the clock's rate; the machines' curl waits 10. */
  heartbeatTimeoutSeconds: z.number().positive().default(10),
});

export type MachineSettings = z.output<typeof machineSettingsSchema>;
