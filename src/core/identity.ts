import type { JsonObject } from './bytes.ts';
import { isUuid } from './bytes.ts';
import { FORMAT_VERSION } from './limits.ts';
import { decodeSealedRecord, encodeSealedRecord } from './sealed-record.ts';

export type Role = 'primary' | 'replica';

/** The cluster id of a replica that has not yet met a primary. It is replaced once, and never again. */
export const UNBOUND_CLUSTER = '00000000-0000-0000-0000-000000000000';

/** Who a data directory belongs to. Written once, durably; it makes the role immutable. */
export interface Identity {
  readonly formatVersion: number;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly role: Role;
}

/** What was found where the identity file stands. */
export type IdentityFound =
  | { readonly state: 'absent'; readonly dataFiles: readonly string[] }
  | { readonly state: 'damaged'; readonly expected: string; readonly found: string }
  | { readonly state: 'present'; readonly identity: Identity };

export function encodeIdentity(identity: Identity): Buffer {
  return encodeSealedRecord({
    magic: 'replichart-identity',
    format_version: identity.formatVersion,
    cluster_id: identity.clusterId,
    node_id: identity.nodeId,
    role: identity.role,
  });
}

export function decodeIdentity(bytes: Buffer): IdentityFound {
  const sealed = decodeSealedRecord(bytes);
  if (sealed.state === 'damaged') return sealed;
  const identity = fieldsOf(sealed.record);
  return identity === null
    ? { state: 'damaged', expected: 'the fields of an identity', found: sealed.line }
    : { state: 'present', identity };
}

function fieldsOf(record: JsonObject): Identity | null {
  const { magic, format_version: formatVersion, cluster_id: clusterId, node_id: nodeId, role } = record;
  if (magic !== 'replichart-identity' || typeof formatVersion !== 'number') return null;
  if (typeof clusterId !== 'string' || !isUuid(clusterId)) return null;
  if (typeof nodeId !== 'string' || !isUuid(nodeId)) return null;
  if (role !== 'primary' && role !== 'replica') return null;
  return { formatVersion, clusterId, nodeId, role };
}

export function newIdentity(role: Role, clusterId: string, nodeId: string): Identity {
  return { formatVersion: FORMAT_VERSION, clusterId, nodeId, role };
}

export function identityToJson(identity: Identity) {
  return {
    format_version: identity.formatVersion,
    cluster_id: identity.clusterId,
    node_id: identity.nodeId,
    role: identity.role,
  };
}
