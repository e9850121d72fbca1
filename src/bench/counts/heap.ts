import { Session, type HeapProfiler } from 'node:inspector/promises';

/** One allocation is looked at for so many bytes; hundreds of megabytes are allocated, so chance moves the sum by less than 1 %. */
const SAMPLING_BYTES = 8 * 1024;

/** What was allocated on the heap of JavaScript while the work was done, also where it was collected again; estimated from samples. */
export async function heapBytesOf<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly heapBytes: number }> {
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: SAMPLING_BYTES,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    } as HeapProfiler.StartSamplingParameterType);
    const result = await work();
    const { profile } = await session.post('HeapProfiler.stopSampling');
    return { result, heapBytes: bytesBelow(profile.head) };
  } finally {
    session.disconnect();
  }
}

function bytesBelow({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((sum, child) => sum + bytesBelow(child), selfSize);
}
