import assert from 'node:assert/strict';
import fc from 'fast-check';
import { access, ciPool, faultsOf, least, type Raw } from '../configs';

/** Alike in no other text, and as short as a careless password, so that no limit of length hides it. */
const secret = fc.stringMatching(/^[A-Za-z0-9]{12,24}$/).map((text) => `zz${text}`);

/** Where a file may hold a secret: in the value itself, or in a part of it. */
const places: Record<string, (secret: unknown) => Raw> = {
  registrationSecret: (value) => ({ ...least, registrationSecret: value }),
  previousRegistrationSecret: (value) => ({ ...least, previousRegistrationSecret: value }),
  'a key in place of its path': (value) => ({ ...least, access: { ...access, sshKeys: [value] } }),
  'the list of keys': (value) => ({ ...least, access: { ...access, sshKeys: value } }),
  'a variable of the workload': (value) =>
    inPool({ workload: { container: { image: 'a', env: { TOKEN: value } } } }),
  'the workload’s variables': (value) => inPool({ workload: { container: { image: 'a', env: value } } }),
  'an argument of the workload': (value) =>
    inPool({ workload: { container: { image: 'a', args: [value] } } }),
  'the workload’s arguments': (value) => inPool({ workload: { container: { image: 'a', args: value } } }),
  'a queue’s URL': (value) => inPool({ queue: { kind: 'postgres', url: value, query: 'select 1' } }),
  'a queue’s header': (value) =>
    inPool({ queue: { kind: 'http', url: 'x', waiting: 'n', headers: { authorization: value } } }),
};

/** Where a URL with a password may stand by mistake. */
const urlPlaces: Record<string, (url: unknown) => Raw> = {
  'the queue': (url) => inPool({ queue: url }),
  'the queue’s kind': (url) => inPool({ queue: { kind: url } }),
  'the query': (url) => inPool({ queue: { kind: 'bullmq', url: 'redis://queue', queue: [url] } }),
  'the service': (url) => ({ ...least, service: url }),
  'the zone': (url) => ({ ...least, dns: { zone: url } }),
};

/** What people make of a value by mistake, the value as it is among it. */
const mistakes: ((value: string) => unknown)[] = [
  (value) => value,
  (value) => [value],
  (value) => [[value]],
  (value) => ({ value }),
  (value) => ({ secure: value }),
  (value) => `${value}\0`,
  (value) => `\n${value}\n`,
];

function inPool(changes: Raw): Raw {
  return { ...least, pools: { ci: { ...ciPool, ...changes, slots: 'many' }, web: 5 }, unknown: true };
}

describe('configuration: a secret is never quoted', () => {
  for (const [where, place] of Object.entries(places)) {
    it(`law: not as ${where}, whatever is wrong with it`, () => {
      fc.assert(
        fc.property(secret, fc.constantFrom(...mistakes), (value, mistake) => {
          assert.doesNotMatch(
            faultsOf({ ...place(mistake(value)), unknown: 1 }).join('\n'),
            new RegExp(value),
          );
        }),
      );
    });
  }

  for (const [where, place] of Object.entries(urlPlaces)) {
    it(`law: not as the password of a URL given as ${where}`, () => {
      fc.assert(
        fc.property(secret, fc.constantFrom('postgres', 'redis', 'https'), (value, scheme) => {
          const faults = faultsOf(place(`${scheme}://me:${value}@db/queue`));
          assert.notDeepEqual(faults, []);
          assert.doesNotMatch(faults.join('\n'), new RegExp(value));
        }),
      );
    });
  }

  it('but what helps to find the place is', () => {
    assert.deepEqual(faultsOf({ ...least, pools: { ci: { ...ciPool, slots: 'many' } } }), [
      'worker-pools:pools.ci.slots: expected number, received string; it is "many"',
    ]);
  });
});
