import { readFileSync } from 'node:fs';
import { fromPromise } from 'xstate';
import type { NodeContext } from '../../machines/context.ts';
import { defineApplyActor, defineBoundaryActor } from '../actors/apply.ts';
import {
  defineDiscardActor,
  defineFetchActor,
  defineInstallActor,
  defineProbeActor,
  defineVerifyActor,
  type BootstrapPorts,
} from '../actors/bootstrap.ts';
import {
  defineAttachActor,
  defineMeetActor,
  definePersistActor,
  defineReceiveActor,
  type IngressDesk,
} from '../actors/ingress.ts';
import { PieceSize } from '../actors/piece.ts';
import { defineValidateActor, type ProofDesk } from '../actors/validate.ts';
import { tokenOf, type NodeConfig } from '../core/config.ts';
import { assertThat } from '../core/errors.ts';
import type { RecoveryPlan } from '../core/recovery/decision.ts';
import type { RepairFacts } from '../core/recovery/repair.ts';
import type { DiskSurvey } from '../core/recovery/survey.ts';
import { DataDirectory } from '../io/data-directory.ts';
import { fenced, type Fence } from '../io/fence.ts';
import { httpWalSource } from '../io/http-wal-source.ts';
import type { WalSource } from '../io/wal-source.ts';
import { SnapshotStore } from '../io/snapshot-store.ts';
import { NodeStorage } from '../node/node-storage.ts';
import type { NodePorts } from '../node/ports.ts';
import { roleActorsOf } from '../node/role-actors.ts';
import { repairReplica, surveyReplica } from './recovery.ts';

/** The one place where the chart's effects are joined with the ports. */
export function replicaActors(
  config: NodeConfig,
  ports: NodePorts,
  fence: Fence,
  context: () => NodeContext,
) {
  const directory = new DataDirectory(fenced(ports.files, fence), config.dataDir);
  const nodeStorage = new NodeStorage(
    directory,
    ports.indexStore(directory.files, directory.indexDirectory),
    fence,
    ports.logger,
  );
  const source = ports.walSource?.() ?? httpSourceOf(config);
  const desk: IngressDesk = { inbox: null };
  const pieces = new PieceSize();
  const proofs: ProofDesk = { proven: [], suspectBytes: null };
  const open = () => {
    assertThat(nodeStorage.current !== null, 'the files are open while the node works');
    return nodeStorage.current;
  };
  const identityOf = () => {
    const { identity } = context();
    assertThat(identity !== null, 'files are opened only after the identity is known');
    return identity;
  };
  const openFiles = () => nodeStorage.open(identityOf());
  const bootstrap: BootstrapPorts = { directory, source, open: openFiles };
  const wal = () => open().wal;
  const storage = () => open().storage;
  const role = roleActorsOf({
    directory,
    files: ports.files,
    fence,
    newUuid: ports.newUuid,
    suspectBytes: () => proofs.suspectBytes ?? desk.inbox?.suspectBytes ?? null,
    disconnect: () => desk.inbox?.close(),
    release: async () => {
      try {
        await source.close();
      } finally {
        await nodeStorage.close();
      }
    },
  });
  const actors = {
    ...role.actors,
    meetPrimary: defineMeetActor(source),
    surveyReplica: fromPromise<DiskSurvey, null>(async () =>
      surveyReplica(directory, await openFiles(), identityOf().clusterId),
    ),
    repairReplica: fromPromise<RepairFacts, { readonly plan: RecoveryPlan; readonly survey: DiskSurvey }>(
      async ({ input }) => repairReplica(directory, await openFiles(), input.plan, input.survey),
    ),
    discardPartial: defineDiscardActor(bootstrap),
    fetchSnapshot: defineFetchActor(bootstrap),
    verifySnapshot: defineVerifyActor(bootstrap),
    probeResume: defineProbeActor(bootstrap),
    installSnapshot: defineInstallActor(bootstrap),
    attach: defineAttachActor(source, desk),
    receive: defineReceiveActor(desk),
    persist: definePersistActor(wal, desk),
    validate: defineValidateActor(wal, storage, proofs, pieces),
    apply: defineApplyActor(storage, fence, proofs),
    boundary: defineBoundaryActor(),
  };
  return {
    actors,
    pieces,
    directory,
    snapshots: new SnapshotStore(directory),
    /** The files, while they are open. */
    open: () => nodeStorage.current,
    /** Lets go of everything, also where the chart has failed and cannot say so itself. */
    release: role.release,
  };
}

function httpSourceOf(config: NodeConfig): WalSource {
  const { primaryUrl, primaryToken, primaryCaFile } = config;
  assertThat(primaryUrl !== undefined, 'a replica has the URL of its primary');
  return httpWalSource({
    url: primaryUrl,
    token: primaryToken ?? tokenOf(config, 'replication'),
    ca: primaryCaFile === undefined ? undefined : readFileSync(primaryCaFile, 'utf8'),
  });
}
