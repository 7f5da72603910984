import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const TESTS = join(__dirname, '..');
const ROOT = join(TESTS, '..');
/** Which package archive an image's system needs: names of systems, of which none is a default. */
const SYSTEMS = 'cloud-init/machine.ts';

/** Which tests hold each lesson that users of such systems have paid for: by file, the titles as they stand there. */
const LESSONS: Record<string, Record<string, string[]>> = {
  'lesson 1: pending servers are capacity': {
    'service/lessons-capacity.test.ts': [
      'ten jobs are ten servers over twelve ticks, though the service restarts at the fourth',
      'so they are when the service loses its registry while they boot',
    ],
    'decide/stack.test.ts': ['lesson 1: counts what boots, so that waiting for it launches no second'],
    'decide/laws.test.ts': ['counts what boots, and never wants more workers than there are jobs (C5)'],
  },
  'lesson 2: max holds everywhere': {
    'service/lessons-maximum.test.ts': ['never more than five, and no orphan'],
    'decide/stack-laws.test.ts': ['lesson 2: the pool never has more members than its greatest size'],
    'automation/registry/leadership.test.ts': ['is one process’s at a time, by environment'],
  },
  'lesson 3: a broken image cannot run away nor starve': {
    'service/lessons-boots.test.ts': [
      'each that never gets ready is deleted, and replacements follow a budget, with an alarm',
      'the next attempt after it is healed restores the service, without anybody’s doing',
    ],
    'decide/stack-laws.test.ts': [
      'a template that never boots leaves the old workers alone, and costs a probe every ten minutes',
    ],
  },
  'lesson 4: never delete a busy worker': {
    'service/lessons-removal.test.ts': ['one that turns busy between decision and deletion stays'],
    'decide/stack-laws.test.ts': [
      'lesson 4: a removal as idle is of a worker that runs nothing, and was told to take nothing',
    ],
    'decide/laws.test.ts': ['never removes a worker that runs a job'],
  },
  'lesson 5: draining workers are neither capacity nor blockers': {
    'service/lessons-capacity.test.ts': [
      'jobs that arrive while one ends its long job get workers of their own within a tick',
      'a drain is taken back when load returns, and no server is bought',
    ],
  },
  'lesson 6: a crash between POST and state write leaves no orphan': {
    'service/lessons-maximum.test.ts': ['lesson 6: two services, one killed while it makes servers'],
    'automation/apply/recovery.test.ts': [
      'keeps who was made, takes in who was in the making, drops who was not, and finishes a removal',
    ],
    'engine/interruption.test.ts': ['leaves a way on when it was killed while the service added workers'],
  },
  'lesson 7: the sweep is scoped and sceptical': {
    'service/lessons-removal.test.ts': [
      'an orphan of ours goes once it is old, and nothing else does',
      'nothing is deleted while the list of servers ${what}',
    ],
    'service/lessons-registry.test.ts': [
      'when the registry is lost while they work',
      'when no worker reaches the service with an empty registry',
    ],
    'automation/sweep.test.ts': [
      'law: only old strangers in fresh, unsuspicious lists go, judged by a fresh state, and never busy ones',
    ],
    'components/preflight/http.test.ts': ['throws rather than give a short one: ${what}'],
  },
  'lesson 8: a scale-out that fails stops no removal': {
    'service/lessons-removal.test.ts': ['idle workers and orphans go while the vendor refuses every server'],
    'decide/stack-laws.test.ts': ['lesson 8: what stops launches changes no removal, drain or resume'],
  },
  'lesson 9: sold-out routing with memory': {
    'service/lessons-vendor.test.ts': [
      'the next placement takes all, and the bad one is left alone',
      'a placement that has servers again is used after its time',
      'the vendor’s list says that there are servers, and there are none',
    ],
    'decide/parts.test.ts': ['are left alone for ten minutes, then tried again'],
    'components/preflight/hetzner.test.ts': [
      'an image that exists for the other architecture only is a fault',
    ],
  },
  'lesson 10: the rate budget': {
    'service/lessons-rate.test.ts': [
      'an idle hour takes at most sixty requests',
      'three cycles beside a neighbour who takes 2000 an hour, and not one 429',
      'more workers take at most eight requests each, and ten',
    ],
    'automation/observe/api-budget.test.ts': [
      'of 2000 requests an hour: a day without one 429',
      'lets nothing through between a 429 and the reset, deletions neither',
    ],
    'automation/observe/cadence.test.ts': ['an idle hour with 50 workers takes at most 60 requests'],
  },
  'lesson 11: a quota is not a shortage': {
    'service/lessons-vendor.test.ts': [
      'no other placement is tried, the reason is told, and the next try comes in ten minutes',
    ],
    'decide/stack.test.ts': ['lesson 11: the limit holds launches, and nothing else'],
  },
  'lesson 12: hour-aware scale-in is exact and restart-proof': {
    'service/story.test.ts': ['keeps the workers while their hour is paid, and deletes each before it ends'],
    'service/lessons-removal.test.ts': [
      'an idle worker whose window the service sleeps through leaves in the next; a busy one stays',
    ],
    'decide/stack-laws.test.ts': ['lesson 12: the policy removes in the last minute of a paid hour only'],
  },
  'lesson 13: boot timeouts follow the image': {
    'service/lessons-boots.test.ts': [
      'a boot that takes five times as long is waited for',
      'a server that ${what} is removed at once, and another one made',
      'a boot is timed from when its machine was made, a quarter of an hour after its request',
    ],
    'decide/parts.test.ts': ['have failed after ${patience} s where ${boot} s is usual'],
    'automation/observe/fleet.test.ts': ['boots from the first look after the update that made it'],
  },
  'lesson 14: `pulumi up` from git does not undo the scaler': {
    'service/lessons-people.test.ts': [
      'a person’s preview of a pool that has grown changes nothing',
      'an update by a person during a scale-out removes nothing, and both come to their end',
      'a greatest size that is lowered to four drains to four, and no job is lost',
      'is rolled out one worker at a time: new before old, and busy ones end their jobs',
      'destroy leaves nothing',
    ],
    'engine/lifecycle.test.ts': ['lets a human’s update leave the size alone'],
  },
  'lesson 15: survive the provider’s calendar': {
    'service/lessons-vendor.test.ts': [
      'a type and an image whose end is announced are told with their dates',
      'after its end the next placement is used',
    ],
    'service/lessons.test.ts': ['the product names no server type, location or image'],
    'components/preflight/hetzner.test.ts': ['a type whose end is announced is a warning with both dates'],
  },
  'what was met besides': {
    'components/model/user-data.test.ts': ['that is too long is a fault, with its size and what fills it'],
    'components/model/membership.test.ts': [
      'never puts more than ten into a placement group, nor one that does not spread into any',
      'never gives an id twice, even after its member is gone',
    ],
    'components/model/names.test.ts': ['law: two workers of one stack never share a host name'],
    'decide/stack.test.ts': ['holds the size where its queue was last read more than two minutes ago'],
    'service/lessons-queues.test.ts': [
      'a queue that cannot be read holds its pool’s size over its hour; the others go on',
      'grow a pool from nothing, and are granted on its worker',
    ],
    'service/lessons-removal.test.ts': ['is replaced, and its device leaves the tailnet'],
    'service/story.test.ts': ['leaves no device and no worker behind'],
    'components/preflight/keys-and-names.test.ts': [
      'that the project has are reused by fingerprint, whatever their name and page',
    ],
    'sandbox/machines/network.test.ts': [
      'bring up the NAT machine, and a private worker behind it that was made at the same time',
    ],
    'cloud-init/programs.test.ts': ['the way out of a private machine'],
    'engine/readiness.test.ts': ['a worker without a public address is ready behind the NAT gateway'],
    'service/lessons-people.test.ts': ['it watches, decides and explains, and changes nothing'],
  },
};

describe('the lessons', () => {
  for (const [lesson, files] of Object.entries(LESSONS)) {
    it(`${lesson}: every test that holds it is there`, () => {
      for (const [file, titles] of Object.entries(files)) {
        const source = readFileSync(join(TESTS, file), 'utf8');
        assert.deepEqual(
          titles.filter((title) => !source.includes(title)),
          [],
          file,
        );
      }
    });
  }

  describe('lesson 15', () => {
    it('the product names no server type, location or image', () => {
      const name =
        /(['"`])((cx|cpx|cax|ccx)\d{2}|fsn1|nbg1|hel1|ash|hil|sin|(debian|ubuntu|fedora|rocky|alma)-\d[\d.]*)\1/;
      const folders = ['components', 'cloud-init', 'automation', 'policy-pack'];
      const sources = folders.flatMap((folder) =>
        readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.ts'))
          .map((file) => join(folder, file)),
      );
      assert.ok(sources.includes(SYSTEMS));
      const naming = sources.filter((file) =>
        name.test(withoutComments(readFileSync(join(ROOT, file), 'utf8'))),
      );
      assert.deepEqual(naming, [SYSTEMS]);
    });
  });
});

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}
