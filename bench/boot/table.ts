import type { Table } from '../report/table';
import type { Boot } from './index';

/** cloud-init's four stages, in their order. */
const STAGES = [
  'cloud-init-local.service',
  'cloud-init.service',
  'cloud-init-main.service',
  'cloud-init-network.service',
  'cloud-config.service',
  'cloud-final.service',
];
/** Units shown besides. */
const OTHERS = 4;

/** Boots by pool: when they were ready, and where systemd says that their time went. */
export function bootTable(boots: readonly Boot[]): Table {
  return {
    title: 'From creation to ready',
    note: '`proxied`: Debian 12, Docker, Traefik and a container from a registry on this computer; `newer`: Debian 13, Docker and a container. Both join a tailnet and register. Seconds by `systemd-analyze blame`: the units run side by side, so they add up to nothing; `cloud-final` holds the packages and every step after them.',
    head: ['pool', 'created → ready', 'cloud-init’s stages', 'longest others'],
    rows: boots.map(({ pool, ready, blame }) => {
      const ours = blame.filter(({ unit }) => STAGES.includes(unit));
      ours.sort((a, b) => STAGES.indexOf(a.unit) - STAGES.indexOf(b.unit));
      const others = blame.filter(({ unit }) => !STAGES.includes(unit)).slice(0, OTHERS);
      return [pool, `${ready} s`, listed(ours), listed(others)];
    }),
  };
}

const listed = (units: Boot['blame']): string =>
  units.map(({ unit, seconds }) => `${unit.replace(/\.service$/, '')} ${Math.round(seconds)} s`).join(', ');
