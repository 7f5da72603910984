import assert from 'node:assert/strict';
import { failureKind, plainMessage } from '../../../automation/apply/failures';

const SERVER = 'hcloud:index/server:Server';
const KEY = 'tailscale:index/tailnetKey:TailnetKey';

/** As the provider (1.32.1) said them in a run against the local cloud, twice each. */
const framed = (text: string): string =>
  `  sdk-v2/provider2.go:571: sdk.helper_schema: ${text}: provider=hcloud@1.32.1\n1 error occurred:\n\t* ${text}\n\n`;

describe('what a failed launch is', () => {
  const rows: [string, string, string][] = [
    ['error during placement (resource_unavailable, 283691724b264220)', SERVER, 'sold-out'],
    ['placement group full (placement_error, 955019c47cdd4338)', SERVER, 'sold-out'],
    ['unsupported location for server type (invalid_input, 83821c869d1e4c93): []', SERVER, 'sold-out'],
    ['forbidden (forbidden, d3373a50f4314b3e)', SERVER, 'sold-out'],
    ['server limit exceeded (resource_limit_exceeded, 5ea0bbd4e9da492f)', SERVER, 'limit'],
    ['limit of 3600 requests per hour reached (rate_limit_exceeded, ec663c872c35486f)', SERVER, 'rate'],
    ['failed to create the tailnet key: too many requests (429)', KEY, 'rate'],
    ['server name is already used (uniqueness_error, a4feb3603d704dff)', SERVER, 'other'],
    ['invalid input in field `image` (invalid_input, a4feb3603d704dff)', SERVER, 'other'],
    ['failed to create the tailnet key: no way (403)', KEY, 'other'],
    ['the tailnet says (forbidden, 1)', KEY, 'other'],
    ['the connection was closed', SERVER, 'other'],
  ];
  for (const [message, type, kind] of rows) {
    it(`${kind}: ${message}`, () => {
      assert.equal(failureKind(plainMessage(type === SERVER ? framed(message) : message), type), kind);
    });
  }
});

describe('a provider’s message', () => {
  const rows: [string, string, string][] = [
    ['is told without its frame', framed('sold (a, 1)'), 'sold (a, 1)'],
    ['is one line', 'one\n  two\n', 'one two'],
    ['has no colours', '\u001b[31mred\u001b[0m <{%fg 1%}>marked<{%reset%}>', 'red marked'],
    [
      'does not name what is told beside it',
      'deleting urn:pulumi:a::b::c::d: 1 error occurred:\n\t* no such server (not_found, 1)',
      'no such server (not_found, 1)',
    ],
    ['may be nothing but a frame', '  sdk-v2/provider2.go:571: x', ''],
  ];
  for (const [name, message, plain] of rows) it(name, () => assert.equal(plainMessage(message), plain));
});
