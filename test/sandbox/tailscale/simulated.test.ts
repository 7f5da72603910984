import { keepsTheContract } from './contract';
import { startTailnet, type Tailnet } from './tailnet';

describe('A simulated tailnet', () => {
  let tailnet: Tailnet;
  beforeEach(async () => {
    tailnet = await startTailnet();
  });
  afterEach(() => tailnet.close());

  keepsTheContract(() => ({
    call: (method, path, body) => tailnet.call(method, path, body),
    join: async (authKey, hostname) => {
      const { nodeId } = tailnet.enrol(authKey, hostname, ['tag:worker']);
      return { logout: async () => tailnet.tailscale.logout(nodeId) };
    },
    pass: async (seconds) => tailnet.kernel.schedule.advance(seconds * 1000),
  }));
});
