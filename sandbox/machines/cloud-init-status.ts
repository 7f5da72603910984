import { stringify } from 'yaml';
import type { Machine } from './machine';

export interface CloudInitStatus {
  status: 'not run' | 'running' | 'done' | 'error';
  datasource: string;
  detail: string;
  errors: string[];
  /** As printed; empty before the first stage. */
  lastUpdate: string;
}

/** What `cloud-init status` of 22.4 works out from its status file: an error shows as soon as its stage has noted it. */
export function cloudInitStatus(machine: Machine): CloudInitStatus {
  const begun = machine.phase !== 'kernel';
  const found = machine.errors.length > 0;
  const status = found ? 'error' : machine.phase === 'done' ? 'done' : begun ? 'running' : 'not run';
  const stage = machine.phase === 'done' || !begun ? undefined : machine.phase;
  const description = stage ? `Running in stage: ${stage}` : 'DataSourceHetzner';
  return {
    status,
    datasource: 'hetzner',
    detail: found ? machine.errors.join('\n') : description,
    errors: machine.errors,
    lastUpdate: begun ? new Date(machine.lastUpdate).toUTCString().replace('GMT', '+0000') : '',
  };
}

/** The output of `cloud-init status` in 22.4's three formats, without the line break that `--wait` puts first. */
export function formatStatus(status: CloudInitStatus, format: string, long: boolean): string {
  if (format === 'json') return `${JSON.stringify(machineReadable(status), undefined, 2)}\n`;
  if (format === 'yaml') return `---\n${stringify(machineReadable(status))}...\n\n`;
  if (!long) return `status: ${status.status}\n`;
  const lastUpdate = status.lastUpdate === '' ? '' : `last_update: ${status.lastUpdate}\n`;
  return `status: ${status.status}\nboot_status_code: enabled-by-generator\n${lastUpdate}detail:\n${status.detail}\n`;
}

/** Keys in the order in which cloud-init sorts them. */
function machineReadable(status: CloudInitStatus): Record<string, unknown> {
  const fields = {
    boot_status_code: 'enabled-by-generator',
    datasource: status.datasource,
    detail: status.detail,
    errors: status.errors,
    last_update: status.lastUpdate,
  };
  return {
    _schema_version: '1',
    ...fields,
    schemas: { 1: { ...fields, status: status.status } },
    status: status.status,
  };
}
