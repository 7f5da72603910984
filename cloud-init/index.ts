/** Machines' cloud-config: plain resolved values in, plain data out. */
export { gatewayDocument, workerDocument, type MachineDocument } from './document';
export { hostKeyFromSeed, type HostKey } from './host-key';
export * from './machine';
export { render, userDataLimit, type Rendered, type SectionSize } from './render';
export { withoutSecrets } from './secrets';
export type { CloudConfig, WriteFile } from './section';
