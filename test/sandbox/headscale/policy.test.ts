import assert from 'node:assert/strict';
import { headscalePolicy } from '../../../sandbox/headscale/policy';
import { TailscaleError } from '../../../sandbox/tailscale/errors';

describe('The policy file as headscale reads it', () => {
  it('has one person for every role, who owns every tag', () => {
    const policy = {
      TagOwners: { 'tag:worker': ['autogroup:admin'], 'tag:ci': ['tag:worker'], 'tag:nobody': [] },
      groups: { 'group:ops': ['anna@example.com'] },
      acls: [
        { action: 'accept', src: ['autogroup:member', 'group:ops'], dst: ['tag:worker:22'] },
        { action: 'accept', src: ['tag:worker'], dst: ['autogroup:internet:*'] },
      ],
    };
    assert.deepEqual(headscalePolicy(policy, 'person@'), {
      tagOwners: { 'tag:worker': ['person@'], 'tag:ci': ['person@'], 'tag:nobody': ['person@'] },
      groups: { 'group:ops': ['anna@example.com'] },
      acls: [
        { action: 'accept', src: ['person@', 'group:ops'], dst: ['tag:worker:22'] },
        { action: 'accept', src: ['tag:worker'], dst: ['autogroup:internet:*'] },
      ],
    });
  });

  it('leaves out what concerns only the vendor’s own console', () => {
    const policy = {
      acls: [],
      tests: [{ src: 'anna@example.com', accept: ['tag:worker:22'] }],
      disableIPv4: false,
    };
    assert.deepEqual(headscalePolicy(policy, 'person@'), { acls: [], tagOwners: {} });
  });

  for (const section of ['grants', 'ipsets', 'postures'])
    it(`refuses ${section}, without which the rest would mean something else`, () => {
      assert.throws(
        () => headscalePolicy({ acls: [], [section]: [] }, 'person@'),
        (error) => error instanceof TailscaleError && error.status === 400 && error.message.includes(section),
      );
    });
});
