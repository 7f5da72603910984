import { isDeepStrictEqual } from 'node:util';
import { memberIds } from './roll-forward';
import type { UpdateReport } from './types';
import type { Plan } from './update-events';

/** One sentence for each thing that rolling an intent forward has done. */
export function describeRecovery(
  { before, after }: Plan,
  { launched, removed, problems }: UpdateReport,
): string[] {
  const known = new Set(memberIds(before));
  const kept = memberIds(after).filter((id) => !known.has(id));
  if (isDeepStrictEqual(before, after)) {
    return ['the interrupted update had changed nothing that was not recorded', ...problems];
  }
  return [
    ...(kept.length > 0 ? [`kept ${kept.join(', ')}, which the interrupted update had made`] : []),
    ...(launched.length > 0 ? [`took in the servers of ${launched.join(', ')}`] : []),
    ...(removed.length > 0 ? [`finished the removal of ${removed.join(', ')}`] : []),
    ...problems,
  ];
}
