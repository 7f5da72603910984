import { failure } from './errors';
import type { DnsRecord } from './state';

const ADDRESS_TYPES = ['A', 'AAAA', 'CNAME'];
const MORE =
  'For more details, refer to <https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>.';

/**
 * Whether a record can stand beside the zone's others: no second record that says the same, a CNAME alone among the
 * addresses of its name, and no address under a name that NS records delegate.
 * @throws CloudflareError 400: 81058, 81053, 81054 or 81056
 */
export function checkConflicts(others: DnsRecord[], record: DnsRecord): void {
  const sameName = others.filter(({ name }) => name === record.name);
  const has = (...types: string[]): boolean => sameName.some(({ type }) => types.includes(type));
  const says = ({ type, content, priority }: DnsRecord): string => [type, content, priority].join(' ');
  if (sameName.some((other) => says(other) === says(record))) {
    throw failure(400, 81058, 'An identical record already exists.');
  }
  if ((record.type === 'CNAME' || record.type === 'NS') && has(...ADDRESS_TYPES)) {
    throw failure(400, 81053, `An A, AAAA, or CNAME record with that host already exists. ${MORE}`);
  }
  if ((record.type === 'A' || record.type === 'AAAA') && has('CNAME')) {
    throw failure(400, 81054, `A CNAME record with that host already exists. ${MORE}`);
  }
  if (ADDRESS_TYPES.includes(record.type) && has('NS')) {
    throw failure(400, 81056, `NS records with that host already exist. ${MORE}`);
  }
}
