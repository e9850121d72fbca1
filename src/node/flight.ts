import type { NodeConfig } from '../core/config.ts';
import { describeError } from '../core/errors.ts';
import { DataDirectory } from '../io/data-directory.ts';
import { FlightWriter, flightFileBytesMax } from '../io/flight-writer.ts';
import { FlightQueue } from './flight-queue.ts';
import { FlightRecorder } from './flight-recorder.ts';
import type { NodePorts } from './ports.ts';
import { unfailing } from './unfailing.ts';

export type FlightConfig = Pick<NodeConfig, 'dataDir' | 'flightRecorder' | 'flightRecorderBytes' | 'role'>;

/** The flight recorder of one run of a node; `null` where it is not asked for. */
export function flightRecorderOf(
  { dataDir, flightRecorder, flightRecorderBytes, role }: FlightConfig,
  { files, logger }: Pick<NodePorts, 'files' | 'logger'>,
  run: string,
): FlightRecorder | null {
  if (flightRecorder === 'disabled') return null;
  // Not fenced: what happens behind a halt is recorded too, as the halt itself is.
  const { flightDirectory } = new DataDirectory(files, dataDir);
  return new FlightRecorder({
    chart: role === 'primary' ? 'primary' : 'node',
    run,
    fileBytesMax: flightFileBytesMax(flightRecorderBytes),
    queue: new FlightQueue(() => FlightWriter.open(files, flightDirectory, flightRecorderBytes)),
    onFault: unfailing('the log', (error: unknown) =>
      logger.error(
        { error: describeError(error) },
        'the flight recorder has stopped: nothing is recorded any more; the node goes on',
      ),
    ),
  });
}
