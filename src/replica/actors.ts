import { readFileSync } from 'node:fs';
import { fromPromise } from 'xstate';
import type { NodeContext } from '../../machines/context.ts';
import {
  defineAttachActor,
  defineMeetActor,
  definePersistActor,
  defineReceiveActor,
  type IngressDesk,
} from '../actors/ingress.ts';
import { defineValidateActor, type ProofDesk } from '../actors/validate.ts';
import type { NodeConfig } from '../core/config.ts';
import { assertThat } from '../core/errors.ts';
import type { OpenedWal } from '../core/validation.ts';
import { genesisChain } from '../core/wal/chain.ts';
import { DataDirectory } from '../io/data-directory.ts';
import { fenced, type Fence } from '../io/fence.ts';
import { httpWalSource } from '../io/http-wal-source.ts';
import { findReceivedEnd } from '../io/received-end.ts';
import type { WalSource } from '../io/wal-source.ts';
import { NodeStorage } from '../node/node-storage.ts';
import type { NodePorts } from '../node/ports.ts';
import { roleActorsOf } from '../node/role-actors.ts';

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
  );
  const source = ports.walSource?.() ?? httpSourceOf(config);
  const desk: IngressDesk = { inbox: null };
  const proofs: ProofDesk = { suspectBytes: null };
  const wal = () => {
    assertThat(nodeStorage.current !== null, 'the files are open while the node works');
    return nodeStorage.current.wal;
  };
  return {
    ...roleActorsOf({
      directory,
      files: ports.files,
      fence,
      newUuid: ports.newUuid,
      suspectBytes: () => proofs.suspectBytes ?? desk.inbox?.suspectBytes ?? null,
      release: async () => {
        desk.inbox?.close();
        await source.close();
        await nodeStorage.close();
      },
    }),
    meetPrimary: defineMeetActor(source),
    openReceived: fromPromise<OpenedWal, null>(async () => {
      const { identity } = context();
      assertThat(identity !== null, 'files are opened only after the identity is known');
      const { wal: files } = await nodeStorage.open(identity);
      const receivedLsn = await findReceivedEnd(files, identity.clusterId);
      await files.truncate(receivedLsn);
      // Nothing is kept of an earlier validation: what is on disk is proved again.
      return { receivedLsn, validated: genesisChain(identity.clusterId) };
    }),
    attach: defineAttachActor(source, desk),
    receive: defineReceiveActor(desk),
    persist: definePersistActor(wal, desk),
    validate: defineValidateActor(wal, proofs),
  };
}

function httpSourceOf({ primaryUrl, primaryToken, token, primaryCaFile }: NodeConfig): WalSource {
  assertThat(primaryUrl !== undefined, 'a replica has the URL of its primary');
  return httpWalSource({
    url: primaryUrl,
    token: primaryToken ?? token,
    ca: primaryCaFile === undefined ? undefined : readFileSync(primaryCaFile, 'utf8'),
  });
}
