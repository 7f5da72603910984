import type { Machine } from './machine';
import type { Section } from './section';

/** The host name, which also resolves locally, as sudo and others expect. */
export function hostName({ hostname }: Pick<Machine, 'hostname'>): Section {
  return { name: 'host name', settings: { hostname, manage_etc_hosts: 'localhost' } };
}
