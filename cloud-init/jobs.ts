import type { Section } from './section';

/** What the workload and the heartbeat share; on a file system in memory, so a reboot forgets the jobs with it. */
export const runFolder = '/run/worker-pools';
/** One file per running job; its modification time is when the job began. */
export const jobsFolder = `${runFolder}/jobs`;

/** Makes the folders on every boot. Whatever user a container runs as may mark a job. */
export function jobs(): Section {
  return { name: 'jobs', bootcmd: `mkdir -p ${jobsFolder}\nchmod 1777 ${jobsFolder}\n` };
}
