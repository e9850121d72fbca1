import * as data from './data.ts';
import * as dx from './dx.ts';
import type { Endpoint } from './endpoint.ts';
import * as health from './health.ts';
import * as page from './page.ts';
import * as replication from './replication.ts';
import * as why from './why.ts';

/** Every endpoint there is, in the order in which it is documented. */
export const ENDPOINTS = {
  getLivez: health.getLivez,
  getReadyz: health.getReadyz,
  getPage: page.getPage,
  getPageChart: page.getPageChart,
  getStatus: dx.getStatus,
  getReplication: dx.getReplication,
  getWal: dx.getWal,
  getMvcc: dx.getMvcc,
  getVersions: dx.getVersions,
  getSnapshots: dx.getSnapshots,
  getCheckpoints: dx.getCheckpoints,
  getMachine: why.getMachine,
  getEvents: why.getEvents,
  explainReplication: why.explainReplication,
  explainRecovery: why.explainRecovery,
  explainRead: why.explainRead,
  getMetrics: dx.getMetrics,
  getOpenApi: dx.getOpenApi,
  postCommits: data.postCommits,
  getDocument: data.getDocument,
  getDocuments: data.getDocuments,
  postSnapshot: data.postSnapshot,
  deleteSnapshot: data.deleteSnapshot,
  postPrune: data.postPrune,
  getIdentity: replication.getIdentity,
  getWalStream: replication.getWalStream,
  listSnapshots: replication.listSnapshots,
  getManifest: replication.getManifest,
  getBlock: replication.getBlock,
} as const satisfies Readonly<Record<string, Endpoint>>;

export type EndpointName = keyof typeof ENDPOINTS;
export const ENDPOINT_NAMES = Object.keys(ENDPOINTS) as EndpointName[];
